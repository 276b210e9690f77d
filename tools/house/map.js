// The map, ARCHITECTURE.md, beside what is: its rooms, their folders, the files it names, and its own length.
import { ROOMS } from './rooms.js';

const MOST_LINES = 100;
const ROW = /^\| `(\w+)` \| (.*)$/;

/** Faults of the map. */
export function checkMap(files, text) {
  const faults = [];
  const lines = text.split('\n');
  if (lines.length > MOST_LINES) faults.push(`ARCHITECTURE.md  more than ${MOST_LINES} lines: it is a map`);
  const rows = new Map(lines.flatMap((line) => (ROW.exec(line) ? [[ROW.exec(line)[1], ROW.exec(line)[2]]] : [])));
  const built = new Set(files.filter(({ name }) => name.includes('/')).map(({ room }) => room));
  for (const room of built) if (!rows.has(room)) faults.push(`ARCHITECTURE.md  says nothing of the room '${room}'`);
  for (const [room, row] of rows) {
    if (!(room in ROOMS) || !built.has(room)) faults.push(`ARCHITECTURE.md  '${room}' is no room with code`);
    const there = new Set(files.flatMap(({ name }) => (name.startsWith(`${room}/`) ? name.split('/').slice(1, -1) : [])));
    const told = new Set([...row.matchAll(/`([\w-]+)\/`/g)].map(([, folder]) => folder));
    for (const folder of there) if (!told.has(folder)) faults.push(`ARCHITECTURE.md  says nothing of ${room}/${folder}/`);
    for (const folder of told) if (!there.has(folder)) faults.push(`ARCHITECTURE.md  there is no ${room}/${folder}/`);
  }
  const names = new Set(files.map(({ name }) => name));
  for (const [, file] of text.matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g))
    if (!names.has(file)) faults.push(`ARCHITECTURE.md  there is no src/${file}`);
  return faults;
}

/** Who enters whom, and how often, as lines of text. */
export function pictureOf(files) {
  const counts = new Map();
  for (const { room, name, imports } of files) {
    if (!name.includes('/')) continue;
    for (const { target } of imports) {
      const [other] = target.split('/');
      if (other === room) continue;
      const from = counts.get(room) ?? counts.set(room, new Map()).get(room);
      from.set(other, (from.get(other) ?? 0) + 1);
    }
  }
  return Object.keys(ROOMS).map(
    (room) => `${room.padEnd(10)} -> ${[...(counts.get(room) ?? [])].map(([other, count]) => `${other} ${count}`).join(', ') || 'nobody'}`,
  );
}
