// The folders of a host. They go with it; a host that was killed cannot tidy up, so the next one sweeps what it left.
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FlotillaError, type RandomBytes, toError, toHex } from '../base/index.ts';
import { fateOf, ownIdentity } from './process/identity.ts';

const ABANDONED_MS = 24 * 3_600_000;

/** The folder of this user's hosts on this machine. Throws ERR_HOST_START if another user holds it. */
export function userFolder(): string {
  const uid = process.geteuid?.() ?? -1;
  const folder = join(tmpdir(), `flotilla-${uid}`);
  makeOwn(folder, uid);
  return folder;
}

/**
 * Makes a fresh folder for one host of this process, and sweeps those of processes that are gone. If `shared`, other users may pass
 * through it, but not list it.
 *
 * Its name says which process it belongs to. Whether a process of another system (a container, another machine) lives cannot be
 * seen from here: its folder is swept when it has not been kept young for a day.
 */
export function hostFolder(random: RandomBytes, dest: string | undefined, shared: boolean, now: number): string {
  const root = dest === undefined ? userFolder() : resolve(dest);
  if (dest !== undefined) makeFolder(root);
  if (shared) chmodSync(root, 0o711);
  for (const name of readdirSync(root)) if (name.startsWith('host-') && isLeft(root, name, now)) sweep(join(root, name));
  const { pid, start, system } = ownIdentity();
  const folder = join(root, `host-${pid}-${start || '0'}-${system}-${toHex(random(4))}`);
  makeFolder(folder, shared ? 0o711 : 0o700);
  return folder;
}

/** Renews the time of a folder. It tells hosts that cannot see this process that it lives. */
export function keepYoung(folder: string, now: number): void {
  try {
    utimesSync(folder, now / 1_000, now / 1_000);
  } catch {
    // the folder is gone: its host notices when it uses it
  }
}

function isLeft(root: string, name: string, now: number): boolean {
  const [, pid, start = '', system = ''] = /^host-(\d+)-(\d+)-([0-9a-f]{8})-/.exec(name) ?? [];
  const fate = pid === undefined ? 'unknown' : fateOf({ pid: Number(pid), start: start === '0' ? '' : start, system });
  if (fate !== 'unknown') return fate === 'gone';
  try {
    const info = lstatSync(join(root, name));
    return info.isDirectory() && now - info.mtimeMs > ABANDONED_MS;
  } catch {
    return false; // another has swept it
  }
}

function sweep(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // it is another user's, or another host sweeps it at the same time
  }
}

function makeOwn(folder: string, uid: number): void {
  makeFolder(folder);
  const info = lstatSync(folder);
  if (!info.isDirectory() || (uid >= 0 && info.uid !== uid) || (uid >= 0 && info.mode & 0o066)) {
    throw new FlotillaError(
      'ERR_HOST_START',
      `${folder} must be a folder that only this user can read. Remove it, or set TMPDIR to another place.`,
    );
  }
}

function makeFolder(folder: string, mode = 0o700): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    throw new FlotillaError(
      'ERR_HOST_START',
      `${folder} cannot be made: ${toError(error).message}. Name another place with --dest, or with TMPDIR.`,
      { cause: error },
    );
  }
}
