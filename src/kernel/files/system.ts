// The file system of this machine.
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rmdir, unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { FileStat, Files } from './contract.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const PERMISSIONS = 0o777; // no set-uid, set-gid or sticky bit travels

function told(stat: { size: number; mtimeMs: number; mode: number; isFile(): boolean }): FileStat {
  return { size: stat.size, mtime: Math.floor(stat.mtimeMs), mode: stat.mode & PERMISSIONS, isFile: stat.isFile() };
}

function unless<T>(value: T, ...codes: string[]): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (codes.includes(error.code ?? '')) return value;
    throw error;
  };
}

/** The files of this machine. Received files lie under `HOME`, if it is set. */
export const systemFiles = (variables: Readonly<NodeJS.ProcessEnv>): Files => ({
  stat: (path: string) => lstat(path).then(told, unless(undefined, 'ENOENT', 'ENOTDIR')),
  async openToRead(path: string) {
    const handle = await open(path, O_RDONLY | (O_NONBLOCK ?? 0)); // opening a pipe would wait, and hold one of the few threads for files
    const stat = told(await handle.stat());
    return {
      stat,
      read: async (buffer: Uint8Array, position: number) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      close: () => handle.close(),
    };
  },
  async openToWrite(path: string) {
    const handle = await open(path, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0), FILE_MODE);
    return {
      async write(bytes: Uint8Array, position: number) {
        for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
      },
      read: async (buffer: Uint8Array, position: number) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      async finish({ size, mtime, mode }: { size: number; mtime: number; mode: number }) {
        await handle.truncate(size);
        await handle.chmod(mode & PERMISSIONS);
        await handle.utimes(mtime / 1000, mtime / 1000);
      },
      close: () => handle.close(),
    };
  },
  makeFolder: (path: string) => mkdir(path, { recursive: true, mode: FOLDER_MODE }).then(() => {}),
  real: (path: string) => realpath(path),
  rename: (from: string, to: string) => rename(from, to),
  remove: (path: string) => unlink(path).then(() => true, unless(false, 'ENOENT', 'ENOTDIR')),
  removeFolder: (path: string) => rmdir(path).then(() => true, unless(false, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY')),
  received: (name: string) => join(variables['HOME'] || homedir(), '.flotilla', 'files', name.replace(/[^\w.-]+/g, '-')),
  list: (path: string) => readdir(path).catch(unless<string[]>([], 'ENOENT')),
});
