// The shape of files and folders: one subject a file, no drawers, no giants, no crowds.

const DRAWERS = /^(utils?|helpers?|common|types|lib|misc|main-utils)(\.ts)?$/;
const MOST_LINES = 400;
const MOST_FILES = 16;

/** Faults of shape. How long functions are is the linter's to see (`noExcessiveLinesPerFunction`). */
export function checkShape(files) {
  const faults = [];
  const folders = new Map();
  for (const { name, text, lines } of files) {
    const folder = name.split('/').slice(0, -1).join('/');
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
    for (const part of name.split('/'))
      if (DRAWERS.test(part)) faults.push(`src/${name}  '${part}' is a drawer: name it after the thing it serves`);
    if (lines.length - 1 > MOST_LINES)
      faults.push(`src/${name}  more than ${MOST_LINES} lines: split it by what changes together (${lines.length - 1})`);
    if (
      name.endsWith('/index.ts') &&
      /^(const|let|function|class|export (const|function|class))\b/m.test(text) &&
      !/^transport\/[a-z]+\//.test(name)
    )
      faults.push(`src/${name}  a door has no furniture: index.ts only re-exports`);
    if (!/^(\/\/|\/\*|#!)/.test(text)) faults.push(`src/${name}  a file opens with a sentence that says what it is`);
  }
  for (const [folder, count] of folders)
    if (count > MOST_FILES) faults.push(`src/${folder}  more than ${MOST_FILES} files: find the nouns that live in it (${count})`);
  return faults;
}
