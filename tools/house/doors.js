// Doors: each room numbers its own, in a block of its own; inside the kernel, the whole is named where it is made.

/** The first number of each room's doors; its block ends where the next begins, the last at 64. */
export const BLOCKS = { kernel: 0, host: 16, cluster: 24, worker: 32, shared: 40, pipeline: 48 };
const END = 64;
const DOOR = /\b(?:door|workDoor)(?:<[^()]*>)?\(\s*'([\w-]+)',\s*(\d+)\s*[,)]/g;
const WHOLE = 'kernel/post/kernel.ts';
const MAKERS = ['kernel/runtime.ts', 'kernel/index.ts'];

/** Faults of doors: a number outside its room's block, one that two doors have, a part of the kernel that names all of it. */
export function checkDoors(files) {
  const faults = [];
  const taken = new Map();
  const starts = [...Object.values(BLOCKS), END];
  for (const { name, room, lines, imports } of files) {
    for (const [, door, digits] of lines.join('\n').matchAll(DOOR)) {
      const number = Number(digits);
      const from = BLOCKS[room];
      const to = starts.find((start) => start > from);
      if (from === undefined || number < from || number >= to)
        faults.push(`src/${name}  the door '${door}' has the number ${number}: those of '${room}' go from ${from} to ${to - 1}`);
      if (taken.has(number)) faults.push(`src/${name}  the door '${door}' has the number of '${taken.get(number)}', ${number}`);
      taken.set(number, door);
    }
    if (room === 'kernel' && !MAKERS.includes(name) && imports.some(({ target }) => target === WHOLE))
      faults.push(`src/${name}  names the whole kernel: take the post, and what else it needs`);
  }
  return faults;
}
