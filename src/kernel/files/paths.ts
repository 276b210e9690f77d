// Paths of received files: they lie under their root, whatever the sender asks for.
//
//   FP1. Nothing is made, written or removed outside the root, through no symbolic link either.
import { createHash } from 'node:crypto';
import { join, sep } from 'node:path';
import { codeOf, FlotillaError, toError } from '../../base/index.ts';
import type { Files } from './contract.ts';

/** The beginning of the names of unfinished files. */
export const PART = '.flotilla-part-';
const NAME_BYTES = 255 - PART.length;
const MOST_FOLDERS = 32;
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/** Splits a relative path into its parts. Throws ERR_FILE_PATH. */
export function checkPath(dir: string, name: string): { readonly folders: readonly string[]; readonly name: string } {
  if (typeof dir !== 'string' || typeof name !== 'string') throw bad(`${String(dir)}/${String(name)}`, 'it is no text');
  if (dir.startsWith('/')) throw bad(dir, 'it is absolute');
  const folders = dir.split('/').filter((part) => part !== '' && part !== '.');
  if (folders.length > MOST_FOLDERS) throw bad(dir, `it has more than ${MOST_FOLDERS} folders`);
  for (const part of [...folders, name]) {
    if (part === '..' || part === '.' || part === '') throw bad(join(dir, name), "'.' and '..' are not allowed");
    if (/[/\\\0:]/.test(part)) throw bad(join(dir, name), 'a part of it has a separator, a colon or a zero byte');
    if (DEVICES.test(part)) throw bad(join(dir, name), `'${part}' is the name of a device on some systems`);
    if (part.startsWith(PART)) throw bad(join(dir, name), `names that begin with ${PART} are for unfinished files`);
    if (Buffer.byteLength(part) > NAME_BYTES || part !== part.trim() || part.endsWith('.'))
      throw bad(join(dir, name), 'a part of it is too long, or begins or ends with a space or dot');
  }
  return { folders, name };
}

/** Gives the folder for a file, without symbolic links; undefined if it is not there and not to be made. Throws ERR_FILE_PATH. FP1 */
export async function folderUnder(files: Files, root: string, folders: readonly string[], make: boolean): Promise<string | undefined> {
  if (make) await files.makeFolder(root);
  else if (!(await exists(files, root))) return undefined;
  const realRoot = await files.real(root);
  let folder = realRoot;
  for (const part of folders) {
    const next = join(folder, part);
    const stat = await files.stat(next);
    if (!stat) {
      if (!make) return undefined;
      await files.makeFolder(next);
    }
    folder = await files.real(next);
    if (folder !== realRoot && !folder.startsWith(realRoot + sep))
      throw bad(folders.join('/'), 'it leads out of the directory for received files');
    if ((await files.stat(folder))?.isFile) throw bad(folders.join('/'), `'${part}' is a file`);
  }
  return folder;
}

/** Names the unfinished file for a file that is sent. It has size and time in it, so a file that has changed begins anew. */
export function partName(name: string, size: number, mtime: number): string {
  return PART + createHash('sha256').update(`${name}\0${size}\0${mtime}`).digest('hex').slice(0, 24);
}

async function exists(files: Files, path: string): Promise<boolean> {
  try {
    await files.real(path);
    return true;
  } catch {
    return false;
  }
}

function bad(path: string, why: string): FlotillaError {
  return new FlotillaError('ERR_FILE_PATH', `The path '${path.replaceAll('\0', '\\0')}' cannot be used: ${why}.`);
}

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the disk is read-only',
  ENOENT: 'it does not exist',
  EISDIR: 'it is a directory',
  EMFILE: 'too many files are open',
  ELOOP: 'it is a symbolic link',
  EFBIG: 'the file system takes no file so large',
};

/** The error for a failure of the file system; `remedy` says what to do about it. */
export function fileError(what: string, error: unknown, remedy?: string): Error {
  if (error instanceof FlotillaError) return error;
  const code = codeOf(error);
  const why = WHY[code] ?? toError(error).message;
  return new FlotillaError('ERR_FILE_SYSTEM', `${what}: ${why}.${remedy ? ` ${remedy}.` : ''}`, {
    cause: error,
    details: { system: code || 'unknown' },
  });
}
