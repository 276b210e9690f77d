// What the soak has workers do. Everything that comes back says which process did it, and can be checked.
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { here, type Task, type TaskRef } from 'flotilla';

/** A result, and the process that gave it. */
export interface By<T> {
  readonly value: T;
  readonly pid: number;
}

/** A number that only who knows the function can tell. */
export const mixed = (n: number): number => Math.imul(n ^ (n >>> 7), 0x45d9f3b) >>> 0;

const spin = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

export function mix(n: number, ms: number, bytes: number): By<number> & { readonly bulk: Uint8Array } {
  spin(ms);
  return { value: mixed(n), pid: process.pid, bulk: new Uint8Array(bytes).fill(n & 255) };
}

export const give = <T>(value: T): By<T> => ({ value, pid: process.pid });

export async function* count(to: number, from: number, ms: number): AsyncGenerator<number | undefined> {
  for (let i = 0; i < to; i++) {
    if (ms > 0 && i % 10 === 0) await sleep(ms);
    yield i % 7 === 6 ? undefined : from + i;
  }
}

/** A line of the soak's own, which can be told from others and made again. */
export function lineOf(tag: string, attempt: string, index: number, size: number): string {
  return `SOAK ${tag} ${attempt} ${index} ${'aü€😀-'.repeat(size)}`;
}

export function print(
  tag: string,
  lines: number,
  size: number,
  stream: 'stdout' | 'stderr',
): By<number> & { readonly attempt: string; readonly bytes: number } {
  const attempt = randomBytes(6).toString('hex');
  let bytes = 0;
  for (let i = 0; i < lines; i++) {
    const line = lineOf(tag, attempt, i, size);
    bytes += Buffer.byteLength(line);
    if (stream === 'stdout') console.log(line);
    else console.error(line);
  }
  return { value: lines, pid: process.pid, attempt, bytes };
}

/** What a talking task came to. */
export interface Talked {
  readonly taken: number;
  readonly wrong: string | undefined;
  readonly pid: number;
}

export type Message = { readonly kind: 'number'; readonly n: number; readonly answer: boolean; readonly bulk: Uint8Array };
export type Answer = { readonly kind: 'born'; readonly pid: number } | { readonly kind: 'had'; readonly n: number; readonly pid: number };

export async function talk(self: Task<Message>, to: TaskRef<Answer>, ms: number): Promise<Talked> {
  let taken = 0;
  let wrong: string | undefined;
  await to.deliver({ kind: 'born', pid: process.pid });
  for await (const { n, answer } of self) {
    if (n !== taken) wrong ??= `message ${n} came where ${taken} was due`;
    taken++;
    if (ms > 0 && taken % 50 === 0) await sleep(ms);
    if (answer && !to.send({ kind: 'had', n, pid: process.pid })) await to.room();
  }
  return { taken, wrong, pid: process.pid };
}

export async function hashOf(name: string): Promise<By<string>> {
  return {
    value: createHash('sha256')
      .update(await readFile(here().file(name)))
      .digest('hex'),
    pid: process.pid,
  };
}

/** Writes a file and sends it to the client; resolves with its hash. */
export async function sendBack(name: string, bytes: number, dir: string): Promise<By<string>> {
  const data = randomBytes(bytes);
  await writeFile(name, data);
  await here().sendFile(name, { dir, overwrite: true });
  return { value: createHash('sha256').update(data).digest('hex'), pid: process.pid };
}

/** Computes until its worker is ended. */
export function forever(): never {
  for (;;) spin(1_000);
}

export function fail(text: string): never {
  throw Object.assign(new RangeError(text), { detail: text.length });
}
