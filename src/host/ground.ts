// What a host stands on: processes, folders, the store of code. Handed in, so that whole clusters can be simulated.
//
//   GR1. What is made for a client goes with it; what is made for the host goes with the host.
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, FlotillaError, type RandomBytes, type RuntimeId, type Timer, toHex } from '../base/index.ts';
import { Store, type UnitHead } from '../code/index.ts';
import { workingFolder } from '../kernel/index.ts';
import { hostFolder, keepYoung, userFolder } from './folder.ts';
import { Meter } from './machine.ts';
import { Child, killGroup, type Started, startProcess } from './process/child.ts';
import type { ChildHandler, Launched, WorkerConfig, WorkerLimits } from './process/contract.ts';
import { Sweeper } from './process/marked.ts';
import { type Account, clearAs } from './process/users.ts';
import type { Availability } from './protocol.ts';

/** The code that a host holds. */
export interface CodeStore {
  put(hash: string, text: string): Promise<void>;
  /** Gives units their names in a client's folder; returns the hashes of those whose text is not here. Throws ERR_CODE_*, ERR_HOST_FOLDER. */
  provide(folder: string, units: readonly UnitHead[], owner: Account | undefined): Promise<string[]>;
  /** Lets a client's code import a package that is installed here. Throws ERR_CODE_PACKAGE_ABSENT. */
  install(folder: string, name: string): Promise<void>;
}

/** A client's place on a host's disk, and the account its workers run under. */
export interface Home {
  readonly folder: string;
  readonly account: Account | undefined;
}

/** What a host needs of its machine. */
export interface Ground {
  /** Starts a worker process. */
  launch(config: WorkerConfig, home: Home, handler: ChildHandler): Launched;
  /** Makes the folder of a stay of a client, which no other stay has had. Throws ERR_HOST_START when nobody is left whose account it could use. */
  enter(client: RuntimeId, stay: number): Home;
  /** A worker's own folder in its client's. */
  room(home: Home, slot: number): string;
  /** Gives what the host has put into a client's folder to whoever its workers are. */
  give(home: Home, path: string): void;
  /** Removes a client's folder. */
  leave(home: Home): Promise<void>;
  readonly store: CodeStore;
  availability(): Availability;
  close(): Promise<void>;
}

/** Options of {@link systemGround}. */
export interface GroundOptions {
  /** The program of a worker process. */
  readonly entry: string;
  readonly random: RandomBytes;
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

/** A spare is started when what was just asked for is on its way. */
const SPARE_MS = 250;
/** How often others are told that the folder of this host is in use. */
const YOUNG_MS = 10 * 60_000;

const WORKER_MODE = 0o700;
/** For who started the host and who its workers are, by their group; what is made inside is of that group, too. */
const LENT_MODE = 0o2770;

/** This machine. Throws ERR_HOST_START. */
export function systemGround(options: GroundOptions): Ground {
  const { entry, random, dest, keepFolders = false, limits = {}, accounts = [], clock } = options;
  const root = hostFolder(random, dest, accounts.length > 0, clock.wall());
  const store = new Store(join(dest ?? userFolder(), 'store'), { wall: () => clock.wall(), packages: workingFolder() });
  const meter = new Meter(root);
  let youngAt = clock.now();
  const free = [...accounts];
  const make = (folder: string, account: Account | undefined): void => {
    if (account?.lent) {
      if (!existsSync(folder)) mkdirSync(folder);
      chmodSync(folder, LENT_MODE);
      return;
    }
    mkdirSync(folder, { recursive: true, mode: WORKER_MODE });
    if (account && lstatSync(folder).uid !== account.uid) chownSync(folder, account.uid, account.gid);
  };
  const sweeper = new Sweeper(clock);
  const start = (account: Account | undefined, cwd: string): Started => startProcess(entry, limits, account, cwd, toHex(random(8)));
  let spare: Started | undefined;
  let timer: Timer | undefined;
  let closed = false;
  const keepSpare = (): void => {
    if (!options.spare || accounts.length > 0 || spare || closed) return;
    timer?.cancel();
    timer = clock.after(
      SPARE_MS,
      () => {
        if (closed || spare) return;
        let made: Started;
        try {
          made = start(undefined, root);
        } catch {
          return; // whoever wants one is told why there is none
        }
        const gone = (): void => {
          if (spare === made) spare = undefined;
        };
        void made.failed.then(gone);
        made.process.once('exit', gone);
        for (const stream of made.process.stdio) (stream as { unref?(): void } | null)?.unref?.();
        made.process.unref();
        spare = made;
      },
      { background: true },
    );
  };
  keepSpare();
  return {
    store,
    launch(config, home, handler) {
      const ready = home.account ? undefined : spare;
      if (ready) spare = undefined;
      ready?.process.ref();
      keepSpare();
      const { account } = home;
      return new Child(ready ?? start(account, config.cwd), config, handler, { limits, account, clock, sweeper });
    },
    enter(client, stay) {
      const account = free.shift();
      if (accounts.length > 0 && !account) {
        throw new FlotillaError(
          'ERR_HOST_START',
          `All ${accounts.length} users that workers of this host may run under are taken by other clients. Give more with --user A,B,C, or wait.`,
        );
      }
      const folder = join(root, `${client.slice(0, 12)}-${stay}`);
      make(folder, account);
      make(join(folder, 'code'), account);
      make(join(folder, 'node_modules'), account);
      return { folder, account };
    },
    room(home, slot) {
      const folder = slot === 0 ? home.folder : join(home.folder, String(slot));
      make(folder, home.account);
      return folder;
    },
    give({ folder, account }, path) {
      if (!account) return;
      for (let at = path; at.length > folder.length; at = dirname(at)) {
        if (!account.lent) chownSync(at, account.uid, account.gid);
        else if (lstatSync(at).uid === process.geteuid?.()) chmodSync(at, lstatSync(at).mode | 0o060);
      }
    },
    async leave(home) {
      // GR1
      if (!keepFolders && home.account?.lent) await clearAs(home.account, home.folder);
      if (!keepFolders) await rm(home.folder, { recursive: true, force: true, maxRetries: 3 });
      if (home.account) free.push(home.account);
    },
    availability() {
      const now = clock.now();
      if (now - youngAt > YOUNG_MS) keepYoung(root, clock.wall());
      if (now - youngAt > YOUNG_MS) youngAt = now;
      return meter.take();
    },
    async close() {
      closed = true;
      timer?.cancel();
      if (spare) killGroup(spare.process.pid ?? 0);
      if (!keepFolders) await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
