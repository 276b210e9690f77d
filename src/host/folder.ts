// The folders of a host: gone with it, and those of hosts that could not tidy up are swept by the next.
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FlotillaError, type RandomBytes, toHex } from '../base/index.ts';

/** The folder of this user's hosts on this machine. Throws ERR_HOST_START if another user holds it. */
export function userFolder(): string {
  const uid = process.geteuid?.() ?? -1;
  const folder = join(tmpdir(), `flotilla-${uid}`);
  makeOwn(folder, uid);
  return folder;
}

/** A fresh folder for one host of this process; sweeps those of processes that are gone. Others may pass through, not look, if `shared`. */
export function hostFolder(random: RandomBytes, dest: string | undefined, shared: boolean): string {
  const root = dest === undefined ? userFolder() : resolve(dest);
  if (dest !== undefined) makeFolder(root);
  if (shared) chmodSync(root, 0o711);
  for (const name of readdirSync(root)) {
    const pid = /^host-(\d+)-/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
  const folder = join(root, `host-${process.pid}-${toHex(random(4))}`);
  makeFolder(folder, shared ? 0o711 : 0o700);
  return folder;
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
      `${folder} cannot be made: ${(error as Error).message}. Name another place with --dest, or with TMPDIR.`,
      { cause: error },
    );
  }
}

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
