// Laws: numbered sentences that open a stateful file, cited where its code, or its room's, keeps them.

// "//   C1. close() waits ..." at the head of a file.
const LAW = /^\/\/ {1,4}([A-Z]{1,4})(\d+)\. /;

// A word in a comment that names a law, if its prefix is one of laws.
const CITATION = /\b([A-Z]{1,4})(\d+)\b/g;
const COMMENT = /^\s*(?:\*|\/\*)|\/\//;

/** Faults of laws: a prefix that two files use, numbers out of order, laws that no code of their room cites. */
export function checkLaws(files) {
  const faults = [];
  const owners = new Map();
  const codeOf = (room) =>
    files
      .filter(({ name }) => name.split('/')[0] === room)
      .flatMap(({ lines }) => lines.filter((line) => !LAW.test(line)))
      .join('\n');
  for (const { name, room, lines } of files) {
    const laws = lines.flatMap((line) => {
      const law = LAW.exec(line);
      return law ? [{ prefix: law[1], number: Number(law[2]) }] : [];
    });
    const code = laws.length > 0 ? codeOf(room) : '';
    for (const [i, { prefix, number }] of laws.entries()) {
      const owner = owners.get(prefix);
      if (owner !== undefined && owner !== name && i === 0)
        faults.push(`src/${name}  its laws are called ${prefix}, as those of src/${owner}: a law has a name of its own`);
      if (owner === undefined) owners.set(prefix, name);
      if (prefix !== laws[0].prefix || number !== i + 1)
        faults.push(`src/${name}  law ${prefix}${number} stands where ${laws[0].prefix}${i + 1} should`);
      if (!new RegExp(`\\b${prefix}${number}\\b`).test(code))
        faults.push(`src/${name}  law ${prefix}${number} is cited nowhere in its code: name it where it is kept`);
    }
  }
  return [...faults, ...checkCitations(files, new Set(owners.keys()))];
}

// Citations of laws that there are not.
function checkCitations(files, prefixes) {
  const laws = new Set(
    files.flatMap(({ lines }) => lines.flatMap((line) => (LAW.exec(line) ? [LAW.exec(line).slice(1, 3).join('')] : []))),
  );
  return files.flatMap(({ name, lines }) =>
    lines.flatMap((line, i) => {
      const from = line.search(COMMENT);
      if (from < 0) return [];
      const cited = [...line.slice(from).matchAll(CITATION)].filter(([law, prefix]) => prefixes.has(prefix) && !laws.has(law));
      return cited.map(([law]) => `src/${name}:${i + 1}  cites the law ${law}, which is nowhere`);
    }),
  );
}
