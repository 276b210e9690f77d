// The folders of a host: gone with it, and those of hosts that could not tidy up are swept by the next.
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FlotillaError, type RandomBytes, toHex } from '../base/index.ts';

/** The folder of this user's hosts on this machine. Throws ERR_HOST_START if another user holds it. */
export function userFolder(): string {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `flotilla-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const info = lstatSync(folder);
  if (!info.isDirectory() || (uid >= 0 && info.uid !== uid) || (uid >= 0 && info.mode & 0o077)) {
    throw new FlotillaError(
      'ERR_HOST_START',
      `${folder} must be a folder that only this user can enter. Remove it, or set TMPDIR to another place.`,
    );
  }
  return folder;
}

/** A fresh folder for one host of this process; sweeps those of processes that are gone. */
export function hostFolder(random: RandomBytes): string {
  const root = userFolder();
  for (const name of readdirSync(root)) {
    const pid = /^host-(\d+)-/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
  const folder = join(root, `host-${process.pid}-${toHex(random(4))}`);
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
