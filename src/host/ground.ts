// The ground that a host stands on: processes, folders, the store of code. It is handed in, so that whole clusters can be simulated.
//
// Owns the host's folder, which accounts are free, and the spare process. Does not own the workers that it starts: those who ask for
// one end it. Does not decide who may have what (host.ts).
//
//   GR1. Whatever is made for a client goes with that client; whatever is made for the host goes with the host.
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, FlotillaError, type RandomBytes, type RuntimeId, toHex } from '../base/index.ts';
import { Store, type UnitHead } from '../code/index.ts';
import { workingFolder } from '../kernel/index.ts';
import { hostFolder, keepYoung, userFolder } from './folder.ts';
import { Meter } from './machine.ts';
import { Child, type Started, startProcess } from './process/child.ts';
import type { ChildHandler, Launched, WorkerConfig, WorkerLimits } from './process/contract.ts';
import { Sweeper } from './process/marked.ts';
import { Spare } from './process/spare.ts';
import { type Account, clearAs } from './process/users.ts';
import type { Availability } from './protocol.ts';

/** The code that a host holds. */
export interface CodeStore {
  put(hash: string, text: string): Promise<void>;
  /** Gives units their names in a client's folder; returns the hashes of texts that are not here. Throws ERR_CODE_*, ERR_HOST_FOLDER. */
  provide(folder: string, units: readonly UnitHead[], owner: Account | undefined): Promise<string[]>;
  /** Lets a client's code import a package that is installed here. Throws ERR_CODE_PACKAGE_ABSENT. */
  install(folder: string, name: string): Promise<void>;
}

/** A client's place on a host's disk, and the account its workers run under. */
export interface Home {
  readonly folder: string;
  readonly account: Account | undefined;
}

/** The machine, as its host sees it. */
export interface Ground {
  /** Starts a worker process. */
  launch(config: WorkerConfig, home: Home, handler: ChildHandler): Launched;
  /** Makes a folder for one stay of a client, which no other stay has had. Throws ERR_HOST_START when no account is free. */
  enter(client: RuntimeId, stay: number): Home;
  /** Makes a worker's own folder inside its client's. */
  room(home: Home, slot: number): string;
  /** Hands a file that the host has put into a client's folder to the account that its workers run under. */
  give(home: Home, path: string): void;
  /** Removes a client's folder. */
  leave(home: Home): Promise<void>;
  readonly store: CodeStore;
  availability(): Availability;
  close(): Promise<void>;
}

/** Options of {@link SystemGround}. */
export interface GroundOptions {
  /** The program of a worker process. */
  readonly entry: string;
  readonly random: RandomBytes;
  /** The environment variables of this process, which its workers get. */
  readonly variables: Readonly<NodeJS.ProcessEnv>;
  /** Where its folders are made; the system's place for temporary files by default. */
  readonly dest?: string | undefined;
  /** Leaves the folders of clients where they are. */
  readonly keepFolders?: boolean | undefined;
  readonly limits?: WorkerLimits | undefined;
  /** Accounts that workers run under, one for each client at a time. */
  readonly accounts?: readonly Account[] | undefined;
  /** Keeps a process started ahead, so that the next worker is there at once. */
  readonly spare?: boolean | undefined;
  readonly clock: Clock;
}

/** How often the folder of this host is kept young, so that other hosts do not sweep it. */
const YOUNG_MS = 10 * 60_000;

const WORKER_MODE = 0o700;
/** A host and its workers share such a folder by their group; files made inside get that group, too. */
const LENT_MODE = 0o2770;

/** This machine. */
export class SystemGround implements Ground {
  readonly store: CodeStore;
  readonly #options: GroundOptions;
  readonly #root: string;
  readonly #meter: Meter;
  /** Accounts that no client has. */
  readonly #free: Account[];
  readonly #sweeper: Sweeper;
  /** Absent where workers have accounts, because nobody knows ahead which account the next worker needs. */
  readonly #spare: Spare | undefined;
  #youngAt: number;

  /** Makes the host's folder. Throws ERR_HOST_START, ERR_HOST_FOLDER. */
  constructor(options: GroundOptions) {
    const { random, dest, accounts = [], clock } = options;
    this.#options = options;
    this.#root = hostFolder(random, dest, accounts.length > 0, clock.wall());
    this.store = new Store(join(dest ?? userFolder(), 'store'), { wall: () => clock.wall(), packages: workingFolder() });
    this.#meter = new Meter(this.#root);
    this.#youngAt = clock.now();
    this.#free = [...accounts];
    this.#sweeper = new Sweeper(clock);
    this.#spare = options.spare && accounts.length === 0 ? new Spare(clock, () => this.#start(undefined, this.#root)) : undefined;
    this.#spare?.prepare();
  }

  launch(config: WorkerConfig, { account }: Home, handler: ChildHandler): Launched {
    const { limits = {}, clock } = this.#options;
    const ready = this.#spare?.take();
    this.#spare?.prepare();
    return new Child(ready ?? this.#start(account, config.cwd), config, handler, { limits, account, clock, sweeper: this.#sweeper });
  }

  enter(client: RuntimeId, stay: number): Home {
    const { accounts = [] } = this.#options;
    const account = this.#free.shift();
    if (accounts.length > 0 && !account) {
      throw new FlotillaError(
        'ERR_HOST_START',
        `All ${accounts.length} users that workers of this host may run under are taken by other clients. Give more with --user A,B,C, or wait.`,
      );
    }
    const folder = join(this.#root, `${client.slice(0, 12)}-${stay}`);
    makeFolder(folder, account);
    makeFolder(join(folder, 'code'), account);
    makeFolder(join(folder, 'node_modules'), account);
    return { folder, account };
  }

  room(home: Home, slot: number): string {
    const folder = slot === 0 ? home.folder : join(home.folder, String(slot));
    makeFolder(folder, home.account);
    return folder;
  }

  give({ folder, account }: Home, path: string): void {
    if (!account) return;
    for (let at = path; at.length > folder.length; at = dirname(at)) {
      if (!account.lent) chownSync(at, account.uid, account.gid);
      else if (lstatSync(at).uid === process.geteuid?.()) chmodSync(at, lstatSync(at).mode | 0o060);
    }
  }

  // GR1
  async leave({ folder, account }: Home): Promise<void> {
    const { keepFolders = false } = this.#options;
    if (!keepFolders && account?.lent) await clearAs(account, folder);
    if (!keepFolders) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    if (account) this.#free.push(account);
  }

  availability(): Availability {
    const { clock } = this.#options;
    const now = clock.now();
    if (now - this.#youngAt > YOUNG_MS) {
      keepYoung(this.#root, clock.wall());
      this.#youngAt = now;
    }
    return this.#meter.take();
  }

  // GR1
  async close(): Promise<void> {
    this.#spare?.close();
    if (!this.#options.keepFolders) await rm(this.#root, { recursive: true, force: true, maxRetries: 3 });
  }

  #start(account: Account | undefined, cwd: string): Started {
    const { entry, limits = {}, random, variables } = this.#options;
    return startProcess({ entry, limits, account, cwd, variables, mark: toHex(random(8)) });
  }
}

function makeFolder(folder: string, account: Account | undefined): void {
  if (account?.lent) {
    if (!existsSync(folder)) mkdirSync(folder);
    chmodSync(folder, LENT_MODE);
    return;
  }
  mkdirSync(folder, { recursive: true, mode: WORKER_MODE });
  if (account && lstatSync(folder).uid !== account.uid) chownSync(folder, account.uid, account.gid);
}
