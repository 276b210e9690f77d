// The house stays a house: prints every fault of src/ that is not known, and every known one that is gone. `--picture` prints who enters whom.
import { readFileSync } from 'node:fs';
import { checkCircles } from './house/circles.js';
import { checkDoors } from './house/doors.js';
import { readHouse } from './house/files.js';
import { checkGlossary } from './house/glossary.js';
import { checkLaws } from './house/laws.js';
import { checkMap, pictureOf } from './house/map.js';
import { checkNames } from './house/names.js';
import { checkRooms } from './house/rooms.js';
import { checkShape } from './house/shape.js';
import { checkWorld } from './house/world.js';

/** The faults of a house, and of its papers if they are given, as lines of text. */
export function checkLayers(src, { glossary, map } = {}) {
  const files = readHouse(src);
  const faults = [checkRooms, checkShape, checkCircles, checkDoors, checkWorld, checkLaws, checkNames].flatMap((check) => check(files));
  if (glossary !== undefined) faults.push(...checkGlossary(files, glossary));
  if (map !== undefined) faults.push(...checkMap(files, map));
  return faults;
}

const root = new URL('..', import.meta.url);

/** The faults of this house and its papers. */
export function checkOwn() {
  const paper = (name) => readFileSync(new URL(name, root), 'utf8');
  return checkLayers(new URL('src', root).pathname, { glossary: paper('docs/glossary.md'), map: paper('ARCHITECTURE.md') });
}

// What a fault is, without what may change while it stays: its line, and the particulars in brackets.
const what = (fault) => fault.replace(/^(\S+?):\d+/, '$1').replace(/ \([^()]*\)$/, '');

/** What is new, and what is gone, against a list of known faults. */
export function compareFaults(faults, known) {
  const now = faults.map(what);
  return {
    added: faults.filter((fault) => !known.includes(what(fault))),
    gone: known.filter((fault) => !now.includes(fault)),
  };
}

/** The faults that are known and not mended yet. The list only gets shorter. */
export function knownFaults() {
  return JSON.parse(readFileSync(new URL('house/known-faults.json', import.meta.url), 'utf8'));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.argv.includes('--picture'))
    for (const line of pictureOf(readHouse(new URL('src', root).pathname))) process.stdout.write(`${line}\n`);
  const { added, gone } = compareFaults(checkOwn(), knownFaults());
  for (const fault of added) process.stdout.write(`${fault}\n`);
  for (const fault of gone) process.stdout.write(`tools/house/known-faults.json  is mended, take it out: ${fault}\n`);
  const count = added.length + gone.length;
  process.stdout.write(
    count === 0 ? 'layers: the house is in order\n' : `layers: ${count} fault(s). The rooms and their order: ARCHITECTURE.md\n`,
  );
  process.exit(count === 0 ? 0 : 1);
}
