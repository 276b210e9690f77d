// What a job of a client has to work with.
import type { Client } from 'flotilla';
import type { Choice } from '../choice.ts';
import type { Excuse } from '../protocol.ts';
import type { Printed } from './printed.ts';

/** A job: it does something with a client, and checks every result. */
export type Job = (context: Context) => Promise<void>;

export interface Context {
  readonly client: Client;
  /** A name that no other client of the soak has. */
  readonly name: string;
  readonly choice: Choice;
  /** A folder of its own. */
  readonly folder: string;
  readonly printed: Printed;
  /** Results that were checked and are right. */
  checked(what: string, count: number): void;
  /** A promise was broken, unless something excuses it. */
  broken(text: string, excuse?: Excuse): void;
  /** A worker will be lost because of what this client does. */
  kills(pid: number): void;
  /** What is waited for, for whoever asks why nothing comes. */
  stage(text: string): void;
  /** A process that works for this client. */
  worker(pid: number): void;
}

/** A number that no other job of this process has. */
export const nextNumber = (
  (n) => () =>
    n++
)(1);

export const describe = (error: unknown): string =>
  error instanceof Error ? `${(error as { code?: string }).code ?? error.name}: ${error.message}` : String(error);
