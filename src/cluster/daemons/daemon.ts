// A daemon, as the command line sees it.

/** How a daemon is to end: when its clients' work has ended, or now. */
export type Ending = 'wait' | 'terminate';

/** A daemon that runs. */
export interface Daemon {
  readonly name: string;
  readonly locations: readonly string[];
  readonly workers: number;
  /** What the daemon does now, in lines for people. */
  status(): readonly string[];
  /** Closes one client, or all, and interrupts their work. */
  closeClients(which: string | undefined): Promise<void>;
  /** Resolves when the daemon is to end by itself, because it has served as many clients as it should. */
  readonly ended: Promise<void>;
  /** Ends the daemon and all that it started. `terminate` overtakes a `wait`. */
  close(how: Ending): Promise<void>;
}
