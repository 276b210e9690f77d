// What hosts, workers, clients and the scheduler say to each other, beside calls.
import type { RuntimeId } from '../base/index.ts';

/** One worker place of a host, granted to a client. A worker obeys the newest epoch. */
export interface Assignment {
  readonly client: RuntimeId;
  readonly slots: readonly number[];
  readonly epoch: number;
}

/** What a host offers. */
export interface Offer {
  readonly name: string;
  readonly workers: number;
  readonly addresses: readonly string[];
  /** What it has granted already: the truth for a scheduler that was restarted. */
  readonly held: readonly Assignment[];
}

/** A worker as its client knows it. */
export interface WorkerInfo {
  readonly id: RuntimeId;
  /** `HOST/N`. */
  readonly name: string;
  readonly host: RuntimeId;
  readonly hostName: string;
  readonly slot: number;
  readonly epoch: number;
  readonly pid: number;
  readonly addresses: readonly string[];
}

/** From a host to a client, at its client door. */
export type HostNotice =
  | { readonly kind: 'worker-ready'; readonly worker: WorkerInfo }
  | {
      readonly kind: 'worker-ended';
      readonly worker: RuntimeId;
      readonly name: string;
      readonly reason: string;
      readonly lastLines: readonly string[];
    }
  | { readonly kind: 'worker-failed'; readonly name: string; readonly reason: string }
  | { readonly kind: 'output'; readonly worker: string; readonly stream: 'stdout' | 'stderr'; readonly text: string };
