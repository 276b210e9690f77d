// One host at a place: a record of who is there, and its removal, with all that it started, if that is wanted.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, codeOf, FlotillaError, sleep, toError } from '../../base/index.ts';
import { fateOf, isTitled, ownIdentity, type ProcessIdentity, titleOf, userFolder } from '../../host/index.ts';

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
  const own = ownIdentity();
  // Each system has claims of its own: a container, or another machine on the same disk, is in nobody's way.
  const file = join(folder, `${place.dest === undefined ? place.port : 'claim'}-${own.system}.json`);
  const before = place.port === 0 && place.dest === undefined ? undefined : readClaim(file);
  if (before && before.pid !== process.pid && isHost(before)) {
    if (!clean) {
      throw new FlotillaError(
        'ERR_HOST_START',
        `Another host (process ${before.pid}) uses ${place.dest === undefined ? `port ${place.port}` : folder}. Stop it, choose another ${place.dest === undefined ? 'port with --port' : 'folder with --dest'}, or end it with --clean.`,
      );
    }
    await end(clock, before);
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (place.port !== 0 || place.dest !== undefined) writeFileSync(file, JSON.stringify(own), { mode: 0o600 });
  } catch (error) {
    throw new FlotillaError('ERR_HOST_START', `${file} cannot be written: ${toError(error).message}. Name another folder with --dest.`, {
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
async function end(clock: Clock, host: ProcessIdentity): Promise<void> {
  const { pid } = host;
  for (const [signal, ms] of [
    ['SIGTERM', ASK_MS],
    ['SIGKILL', ASK_MS],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (codeOf(error) === 'ESRCH') return;
      throw new FlotillaError('ERR_HOST_START', `The host of process ${pid} cannot be ended: ${toError(error).message}.`, {
        cause: error,
      });
    }
    for (const until = clock.now() + ms; clock.now() < until; await sleep(clock, LOOK_MS)) if (fateOf(host) === 'gone') return;
  }
  throw new FlotillaError('ERR_HOST_START', `The host of process ${pid} does not end.`);
}

function readClaim(file: string): ProcessIdentity | undefined {
  try {
    const { pid, start, system }: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
    const isOne = typeof pid === 'number' && typeof start === 'string' && typeof system === 'string';
    return isOne ? { pid, start, system } : undefined;
  } catch {
    return undefined;
  }
}

// A number may have been given to another program since, and what stands in a file may have been written by anybody.
function isHost(claim: ProcessIdentity): boolean {
  return fateOf(claim) === 'lives' && isTitled(claim.pid, titleOf('host')) !== false;
}
