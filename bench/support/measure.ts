// What every bench shares: rows, medians, child processes.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** One line of the table: what we reach, beside its limit and a peer measured in the same run. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly limit: number;
  readonly limitName: string;
  /** Ours over the limit for rates; ours over the limit for times too: the goal says which way is better. */
  readonly goal: string;
  readonly peer?: string;
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

/** Runs a part of a bench in a process of its own. */
export function peer(
  file: string,
  role: string,
  env: Record<string, string> = {},
): { child: ChildProcess; said: <T>() => Promise<T>; tell: (message: unknown) => void; end: () => void } {
  const { NODE_EXTRA_CA_CERTS: _slow, ...rest } = process.env;
  const child = fork(fileURLToPath(file), [role], { env: { ...rest, ...env } });
  return {
    child,
    said: () => new Promise((resolve) => child.once('message', (message) => resolve(message as never))),
    tell: (message) => child.send(message as object),
    end: () => child.kill('SIGKILL'),
  };
}

/** The typical object of about 100 bytes. */
export function typical(id: number): Record<string, unknown> {
  return { id, name: 'sensor-17', kind: 'reading', value: 21.5, ok: true, tags: ['a', 'b'], at: 1_730_000_000 };
}

/** The role this process was started for, if it is a peer of a bench. */
export const role: string | undefined = process.send ? process.argv[2] : undefined;

export async function times<T>(count: number, run: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < count; i++) all.push(await run());
  return all;
}
