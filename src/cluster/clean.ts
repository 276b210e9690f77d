// One host at a place: a record of who is there, and its removal, with all that it started, if that is wanted.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, FlotillaError, sleep } from '../base/index.ts';
import { isAlive, userFolder } from '../host/index.ts';

const ASK_MS = 8_000;
const LOOK_MS = 50;

/** Where a host says that it runs. */
export interface Claim {
  release(): void;
}

/** Takes the place of a port, or of a folder if one is given. Rejects with ERR_HOST_START if a host that lives has it, unless `clean` ends that one. */
export async function claimPlace(
  clock: Clock,
  place: { readonly port: number; readonly dest: string | undefined },
  clean: boolean,
): Promise<Claim> {
  const folder = place.dest === undefined ? join(userFolder(), 'hosts') : resolve(place.dest);
  const file = join(folder, place.dest === undefined ? `${place.port}.json` : 'host.json');
  const before = place.port === 0 && place.dest === undefined ? undefined : readClaim(file);
  if (before && before.pid !== process.pid && isHost(before.pid)) {
    if (!clean) {
      throw new FlotillaError(
        'ERR_HOST_START',
        `Another host (process ${before.pid}) uses ${place.dest === undefined ? `port ${place.port}` : folder}. Stop it, choose another ${place.dest === undefined ? 'port with --port' : 'folder with --dest'}, or end it with --clean.`,
      );
    }
    await end(clock, before.pid);
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (place.port !== 0 || place.dest !== undefined) writeFileSync(file, JSON.stringify({ pid: process.pid }), { mode: 0o600 });
  } catch (error) {
    throw new FlotillaError('ERR_HOST_START', `${file} cannot be written: ${(error as Error).message}. Name another folder with --dest.`, {
      cause: error,
    });
  }
  return {
    release() {
      if (readClaim(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

// Politely, then firmly: its workers die with it in any case.
async function end(clock: Clock, pid: number): Promise<void> {
  for (const [signal, ms] of [
    ['SIGTERM', ASK_MS],
    ['SIGKILL', ASK_MS],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw new FlotillaError('ERR_HOST_START', `The host of process ${pid} cannot be ended: ${(error as Error).message}.`, {
        cause: error,
      });
    }
    for (const until = clock.now() + ms; clock.now() < until; await sleep(clock, LOOK_MS)) if (!isAlive(pid)) return;
  }
  throw new FlotillaError('ERR_HOST_START', `The host of process ${pid} does not end.`);
}

function readClaim(file: string): { pid: number } | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid?: unknown };
    return typeof pid === 'number' ? { pid } : undefined;
  } catch {
    return undefined;
  }
}

// A number may have been given to another program since.
function isHost(pid: number): boolean {
  if (!isAlive(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('flotilla');
  } catch {
    return true; // this system does not tell
  }
}
