// The house stays a house: which room may enter which, by its door only; no drawers, no giants, no reaching for the world.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Who may enter whom. */
export const ROOMS = {
  base: [],
  wire: ['base'],
  transport: ['wire', 'base'],
  discovery: ['wire', 'base'],
  kernel: ['transport', 'discovery', 'wire', 'base'],
  code: ['kernel', 'transport', 'wire', 'base'],
  shared: ['kernel', 'wire', 'base'],
  host: ['code', 'kernel', 'transport', 'wire', 'base'],
  cluster: ['host', 'code', 'shared', 'kernel', 'transport', 'wire', 'base'],
  pipeline: ['host', 'code', 'shared', 'kernel', 'transport', 'wire', 'base'],
  dashboard: ['cluster', 'pipeline', 'kernel', 'base'],
  cli: ['dashboard', 'cluster', 'pipeline', 'host', 'kernel', 'transport', 'base'],
  testing: ['cluster', 'pipeline', 'host', 'code', 'shared', 'kernel', 'transport', 'discovery', 'wire', 'base'],
};

const DRAWERS = /^(utils?|helpers?|common|types|lib|misc|main-utils)(\.ts)?$/;
const MOST_LINES = 400;
// What escapes a simulated world, and the files that are the real one.
const WORLD =
  /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|performance\.now|AbortSignal\.timeout|FinalizationRegistry|Math\.random|queueMicrotask|process\.nextTick)\b/;
const isWorld = (name) =>
  ['kernel/environment.ts', 'kernel/sessions/pulse-thread.ts', 'cluster/worker/serve.ts', 'host/limits.ts'].includes(name) ||
  /^transport\/(tcp|unix)\//.test(name) ||
  name.startsWith('testing/');

/** The faults of a house, as lines of text. */
export function checkLayers(src) {
  const faults = [];
  const files = readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const graph = new Map();
  for (const file of files) {
    const name = relative(src, file);
    const [room] = name.split('/');
    const text = readFileSync(file, 'utf8');
    const lines = text.split('\n');
    const at = (index) => `src/${name}:${text.slice(0, index).split('\n').length}`;
    if (!name.includes('/') && name !== 'index.ts') faults.push(`src/${name}  no loose file in src/: put it into a room`);
    if (name.includes('/') && !(room in ROOMS))
      faults.push(`src/${name}  '${room}' is no room; the rooms are ${Object.keys(ROOMS).join(', ')}`);
    for (const part of name.split('/'))
      if (DRAWERS.test(part)) faults.push(`src/${name}  '${part}' is a drawer: name it after the thing it serves`);
    if (lines.length - 1 > MOST_LINES)
      faults.push(`src/${name}  ${lines.length - 1} lines; at most ${MOST_LINES}: split it by what changes together`);
    if (
      name.endsWith('index.ts') &&
      name !== 'index.ts' &&
      /^(const|let|function|class|export (const|function|class))\b/m.test(text) &&
      !/^transport\/(tcp|unix)\//.test(name)
    )
      faults.push(`src/${name}  a door has no furniture: index.ts only re-exports`);
    if (!/^(\/\/|\/\*|#!)/.test(text)) faults.push(`src/${name}  a file opens with a sentence that says what it is`);
    if (!isWorld(name)) {
      for (const [i, line] of lines.entries()) {
        const found = !/^\s*(\/\/|\*|\/\*)/.test(line) && WORLD.exec(line);
        if (found) faults.push(`src/${name}:${i + 1}  '${found[0]}' reaches for the world; take it from the environment`);
      }
    }
    const imports = [];
    for (const match of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = relative(src, resolve(dirname(file), match[1]));
      const [other] = target.split('/');
      imports.push(target);
      if (!name.includes('/')) {
        if (!/^[^/]+\/index\.ts$/.test(target)) faults.push(`${at(match.index)}  enter '${other}' by its door: '${other}/index.ts'`);
      } else if (other !== room) {
        if (!ROOMS[room]?.includes(other))
          faults.push(`${at(match.index)}  '${room}' may not enter '${other}': it may enter ${ROOMS[room]?.join(', ') || 'no room'}`);
        else if (target !== `${other}/index.ts`) faults.push(`${at(match.index)}  enter '${other}' by its door: '../${other}/index.ts'`);
      }
    }
    graph.set(name, imports);
  }
  return faults;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const faults = checkLayers(new URL('../src', import.meta.url).pathname);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(
    faults.length === 0
      ? 'layers: the house is in order\n'
      : `layers: ${faults.length} fault(s). The rooms and their order: ARCHITECTURE.md\n`,
  );
  process.exit(faults.length === 0 ? 0 : 1);
}
