// The rooms of src/, and who may enter whom. The table is the map: what no file uses is not in it.

/** Who may enter whom. */
export const ROOMS = {
  base: [],
  wire: ['base'],
  transport: ['wire', 'base'],
  discovery: ['base'],
  kernel: ['transport', 'discovery', 'wire', 'base'],
  code: ['base'],
  shared: ['kernel', 'wire', 'base'],
  host: ['code', 'kernel', 'transport', 'base'],
  worker: ['host', 'code', 'kernel', 'transport', 'wire', 'base'],
  cluster: ['worker', 'host', 'code', 'shared', 'kernel', 'transport', 'base'],
  pipeline: ['worker', 'host', 'code', 'shared', 'kernel', 'transport', 'wire', 'base'],
  dashboard: ['cluster', 'pipeline', 'kernel', 'base'],
  cli: ['dashboard', 'cluster', 'pipeline', 'host', 'kernel', 'transport', 'base'],
  testing: ['kernel', 'transport', 'discovery', 'base'],
};

// Rooms that have their place and no code yet.
const EMPTY = ['shared', 'pipeline', 'dashboard'];

/** Faults of entering: a room that may not be entered, a way beside its door, a row of the table that nobody uses. */
export function checkRooms(files) {
  const faults = [];
  const used = new Set();
  for (const file of files) {
    const { name, room } = file;
    if (!name.includes('/') && name !== 'index.ts') faults.push(`src/${name}  no loose file in src/: put it into a room`);
    if (name.includes('/') && !(room in ROOMS))
      faults.push(`src/${name}  '${room}' is no room; the rooms are ${Object.keys(ROOMS).join(', ')}`);
    for (const { target, line } of file.imports) {
      const [other] = target.split('/');
      const at = `src/${name}:${line}`;
      if (name === 'index.ts') {
        if (!/^[^/]+\/index\.ts$/.test(target)) faults.push(`${at}  enter '${other}' by its door: '${other}/index.ts'`);
      } else if (other !== room) {
        used.add(`${room} ${other}`);
        if (!ROOMS[room]?.includes(other))
          faults.push(`${at}  '${room}' may not enter '${other}': it may enter ${ROOMS[room]?.join(', ') || 'no room'}`);
        else if (target !== `${other}/index.ts`) faults.push(`${at}  enter '${other}' by its door: '../${other}/index.ts'`);
      }
    }
  }
  const built = new Set(files.map((file) => file.room));
  for (const [room, others] of Object.entries(ROOMS)) {
    if (EMPTY.includes(room) || !built.has(room)) continue;
    for (const other of others) {
      if (!EMPTY.includes(other) && built.has(other) && !used.has(`${room} ${other}`))
        faults.push(`tools/house/rooms.js  '${room}' may enter '${other}' and does not: take it out of the table`);
    }
  }
  return faults;
}
