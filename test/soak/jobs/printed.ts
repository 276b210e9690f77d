// What workers print, line by line: every line as it was printed, in order, none left out, none twice; and whole when its client has closed.
import type { Client, OutputLine } from 'flotilla';
import { lineOf, print } from '../work.ts';
import { type Context, type Job, nextNumber } from './context.ts';

interface Call {
  readonly size: number;
  /** Lines that have come, by attempt: a call may be tried again. */
  readonly came: Map<string, number>;
  readonly bytes: Map<string, number>;
}

interface Finished {
  readonly tag: string;
  readonly attempt: string;
  readonly lines: number;
  readonly bytes: number;
  readonly pid: number;
}

/** All that the workers of one client have printed. */
export class Printed {
  /** Lines that are left out on purpose, to see whether that is noticed. */
  drop = 0;
  readonly #calls = new Map<string, Call>();
  readonly #finished: Finished[] = [];
  readonly #broken: Context['broken'];
  readonly #other: (line: OutputLine) => void;

  constructor(broken: Context['broken'], other: (line: OutputLine) => void) {
    this.#broken = broken;
    this.#other = other;
  }

  readonly line = (line: OutputLine): void => {
    const { text } = line;
    const [, tag, attempt, index] = /^SOAK (\S+) (\S+) (\d+) /.exec(text) ?? [];
    const call = tag === undefined ? undefined : this.#calls.get(tag);
    if (!call || tag === undefined || attempt === undefined) return this.#other(line);
    if (this.drop > 0 && this.drop--) return;
    const due = call.came.get(attempt) ?? 0;
    if (Number(index) !== due) this.#broken(`line ${index} of what a worker printed came where ${due} was due (call ${tag})`);
    else if (text !== lineOf(tag, attempt, due, call.size)) this.#broken(`line ${index} of what a worker printed is not what it printed`);
    call.came.set(attempt, Number(index) + 1);
    call.bytes.set(attempt, (call.bytes.get(attempt) ?? 0) + Buffer.byteLength(text));
  };

  begin(tag: string, size: number): void {
    this.#calls.set(tag, { size, came: new Map(), bytes: new Map() });
  }

  end(finished: Finished): void {
    this.#finished.push(finished);
  }

  /** To be called when the client has closed: what was printed before a call returned is here. */
  check(checked: Context['checked']): void {
    for (const { tag, attempt, lines, bytes, pid } of this.#finished.splice(0)) {
      const call = this.#calls.get(tag);
      const came = call?.bytes.get(attempt) ?? 0;
      if (came !== bytes)
        this.#broken(`a worker printed ${bytes} bytes in ${lines} lines, and ${came} in ${call?.came.get(attempt) ?? 0} lines came`, {
          pids: [pid],
        });
      else checked('printed bytes', came);
      this.#calls.delete(tag);
    }
  }
}

export const printing: Job = async ({ client, name, choice, checked, printed, worker }) => {
  const tag = `${name}-${nextNumber()}`;
  const size = choice.one([1, 10, 100, 1_000]);
  printed.begin(tag, size);
  const result = await runPrint(client, tag, choice.between(1, size === 1_000 ? 300 : 3_000), size, choice.one(['stdout', 'stderr']));
  worker(result.pid);
  printed.end({ tag, lines: result.value, ...result });
  checked('printing calls', 1);
};

const runPrint = (client: Client, ...args: Parameters<typeof print>): Promise<ReturnType<typeof print>> =>
  client.with({ retries: 1_000 }).run(print, ...args);
