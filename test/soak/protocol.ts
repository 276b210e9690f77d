// What the soak and its clients tell each other.

/** How a client goes away. */
export type End = 'close' | 'terminate' | 'exit' | 'stay';

/** What one client process is to do. Everything else of it comes from its seed. */
export interface ClientPlan {
  readonly name: string;
  readonly seed: number;
  /** So many clients in one process, which connect in the same instant. */
  readonly twins: number;
  /** Jobs of each; -1: until it is told to finish. */
  readonly jobs: number;
  readonly end: End;
  /** Has workers of its own on this machine instead of the cluster's. */
  readonly local: boolean;
  readonly folder: string;
  readonly plant: 'dropped-line' | undefined;
}

/** What makes a failure no fault: a process that the soak killed. */
export interface Excuse {
  /** Workers, any of which was killed, itself or with its host. */
  readonly pids?: readonly number[];
  /** Any worker or host was killed since then (milliseconds since 1970). */
  readonly killsSince?: number;
}

/** What a client says. */
export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'connected'; readonly client: string; readonly ms: number }
  | { readonly kind: 'begins'; readonly client: string; readonly job: string }
  | { readonly kind: 'checked'; readonly what: string; readonly count: number }
  | { readonly kind: 'worker'; readonly pid: number }
  | { readonly kind: 'kills'; readonly pid: number }
  | { readonly kind: 'broken'; readonly text: string; readonly excuse: Excuse | undefined }
  | { readonly kind: 'warned'; readonly text: string }
  | { readonly kind: 'explained'; readonly text: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'holdings'; readonly heap: number; readonly external: number; readonly timers: number };

/** What a client, or a daemon with the probe, is told. */
export type Order = 'go' | 'finish' | 'explain' | 'holdings';
