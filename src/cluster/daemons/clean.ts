// One host at a place: a file that claims the place for one process, and, if wanted, the end of the host that has it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, codeOf, FlotillaError, sleep, toError } from '../../base/index.ts';
import { fateOf, isTitled, ownIdentity, type ProcessIdentity, titleOf, userFolder } from '../../host/index.ts';

const ASK_MS = 8_000;
const LOOK_MS = 50;

/** The claim of a host on its place. */
export interface Claim {
  release(): void;
}

/** Claims the place of a port, or of a folder if given. Rejects with ERR_HOST_START if a living host has it and `clean` is not set. */
export async function claimPlace(
  clock: Clock,
  place: { readonly port: number; readonly dest: string | undefined },
  clean: boolean,
): Promise<Claim> {
  const folder = place.dest === undefined ? join(userFolder(), 'hosts') : resolve(place.dest);
  const own = ownIdentity();
  // Each system has claims of its own, because a container, or another machine on the same disk, takes no place here.
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

// Ends a host politely, then firmly; its workers die with it in either case.
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

// Whether a claim's process is a host. Its number may have gone to another program since, and anybody may have written the file.
function isHost(claim: ProcessIdentity): boolean {
  return fateOf(claim) === 'lives' && isTitled(claim.pid, titleOf('host')) !== false;
}
