// What a simulated world can't have: global time and chance, the process's own variables, and state that belongs to a module.
import { isCode } from './files.js';

const TIME =
  /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|performance\.now|AbortSignal\.timeout|FinalizationRegistry|Math\.random|queueMicrotask|process\.nextTick)\b/;
const PROCESS = /\bprocess\.(env|cwd)\b/;
// What a module or a class holds for all. An array of `never` can hold nothing.
const STATE =
  /^(export )?(let |var |const \w+(: .+?)? = (new (Map|Set|WeakMap|WeakSet|AsyncLocalStorage|IdMap|Fifo)(<.*>)?\(\)|\[\]|\{\};))|^\s+(private )?static (readonly )?#?\w+\s?[:=;]/;
const EMPTY = /^(export )?const \w+: (readonly )?never\[\] = \[\];/;
const SHARED = /\bglobalThis\b|(?<![.\w])process\.(on|once|chdir|exit)\(/;

// The files that reach for time and chance themselves; the networks of this machine do, too.
const TIMES = ['kernel/environment.ts'];

// State that belongs to no object of ours, and whose it is.
const STATES = {
  'base/signals.ts': 'a signal has its one listener here, and takes it with it when it goes',
};

// What is said to the whole process, or to all that is loaded into it, and why an object cannot have it.
const SHARES = {
  'kernel/environment.ts': 'the end of a process: it has one, and Node.js warns of many listeners',
  'code/find.ts': 'the engine shows a function by name only; the name is taken back in the same turn',
  'code/module.ts': 'how shipped code imports what it computes: it has no other way to its worker',
  'wire/refuse.ts': 'what the language itself gives, looked at only',
  'worker/serve.ts': 'a worker process is one worker: its folder, and what its shipped code imports by',
  'worker/thread.ts': 'a worker process is one worker: its end is the end of the process',
  'worker/main.ts': 'a worker process is one worker: its end is the end of the process',
  'worker/current.ts': 'the call that runs: shipped code may bring a copy of this module, which is to see the same',
  'cluster/terminal/footer.ts': 'a terminal is put right again whatever ends the process',
};

// The folders of networks that are whole as they stand: their doors have a `const NAME: Network`. One that is made of a clock keeps to that clock.
const folderOf = (name) => name.split('/').slice(0, -1).join('/');
const networkFolders = (files) =>
  files
    .filter(({ name, text }) => /^transport\/\w+\/index\.ts$/.test(name) && /^export const \w+: Network\b/m.test(text))
    .map(({ name }) => folderOf(name));
const isShared = (name) => name in SHARES || name.startsWith('cli/');
const isProcess = (name) => name === 'kernel/environment.ts' || name.startsWith('cli/');

/** Faults of reaching out. */
export function checkWorld(files) {
  const faults = [];
  const used = new Set();
  const networks = networkFolders(files);
  const isTime = (name) => TIMES.includes(name) || networks.includes(folderOf(name)) || name.startsWith('testing/');
  for (const { name, lines } of files) {
    for (const [i, line] of lines.entries()) {
      if (!isCode(line)) continue;
      const at = `src/${name}:${i + 1}`;
      const time = !isTime(name) && TIME.exec(line);
      if (time) faults.push(`${at}  '${time[0]}' reaches for the world; take it from the environment`);
      const own = !isProcess(name) && PROCESS.exec(line);
      if (own) faults.push(`${at}  '${own[0]}' reaches for the process; take it from the environment, or as an option`);
      const shared = SHARED.exec(line.replace(/'[^']*'/g, "''"));
      if (shared && !isShared(name))
        faults.push(`${at}  '${shared[0]}' is shared by the whole process; give it to an object, or to the environment`);
      const state = STATE.test(line) && !EMPTY.test(line);
      if (state && !(name in STATES)) faults.push(`${at}  a module has no state: it belongs to an object that somebody makes and ends`);
      if (shared || state) used.add(name);
    }
    if ((name in STATES || name in SHARES) && !used.has(name))
      faults.push(`src/${name}  has neither state nor shares anything: take it out of tools/house/world.js`);
  }
  return faults;
}
