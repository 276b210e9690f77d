// What a simulated world can't have: global time and chance, the process's own variables, and state that belongs to a module.
import { isCode } from './files.js';

const TIME =
  /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|performance\.now|AbortSignal\.timeout|FinalizationRegistry|Math\.random|queueMicrotask|process\.nextTick)\b/;
const PROCESS = /\bprocess\.(env|cwd)\b/;
const STATE =
  /^(export )?(let |var |const \w+(: [^=]+)? = (new (Map|Set|WeakMap|WeakSet|AsyncLocalStorage|IdMap|Fifo)(<[^=]*>)?\(\)|\[\]))/;

// The files that are the real world.
const TIMES = ['kernel/environment.ts', 'kernel/threads/pulse-thread.ts', 'worker/serve.ts'];

const isTime = (name) => TIMES.includes(name) || /^transport\/(tcp|unix)\//.test(name) || name.startsWith('testing/');
const isProcess = (name) => name === 'kernel/environment.ts' || name.startsWith('cli/');

/** Faults of reaching out. */
export function checkWorld(files) {
  const faults = [];
  for (const { name, lines } of files) {
    for (const [i, line] of lines.entries()) {
      if (!isCode(line)) continue;
      const at = `src/${name}:${i + 1}`;
      const time = !isTime(name) && TIME.exec(line);
      if (time) faults.push(`${at}  '${time[0]}' reaches for the world; take it from the environment`);
      const own = !isProcess(name) && PROCESS.exec(line);
      if (own) faults.push(`${at}  '${own[0]}' reaches for the process; take it from the environment, or as an option`);
      if (STATE.test(line)) faults.push(`${at}  a module has no state: it belongs to an object that somebody makes and ends`);
    }
  }
  return faults;
}
