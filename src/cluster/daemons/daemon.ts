// A daemon, as the command line sees it.

/** How a daemon is to end: when what runs has ended, or now. */
export type Ending = 'wait' | 'terminate';

/** A daemon that runs. */
export interface Daemon {
  readonly name: string;
  readonly locations: readonly string[];
  readonly workers: number;
  /** What it does now, in lines for people. */
  status(): readonly string[];
  /** Closes one client, or all: what runs is interrupted. */
  closeClients(which: string | undefined): Promise<void>;
  /** Resolves when it ends by itself: it has served as many clients as it should. */
  readonly ended: Promise<void>;
  /** Ends it and all that it started. `terminate` overtakes a `wait`. */
  close(how: Ending): Promise<void>;
}
