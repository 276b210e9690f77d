// The code that a host holds: texts by hash, once each, and for every client a folder in which its units have their names.
//
//   CS1. A text has its name once it is on the disk, whole; it is checked when it arrives and whenever it is used. A text that is
//        damaged is as one that is not here.
//   CS2. The store is bounded: beyond its limit, the texts that were used longest ago go. A client whose text is gone sends it again.
//   CS3. A client's folder holds copies: it works on when the store forgets, and what is written there changes nothing here.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlotillaError } from '../base/index.ts';
import { digest, type UnitHead } from './unit.ts';

const MOST_BYTES = 512 << 20;
const SAFE_NAME = /^[mp][0-9a-f]{16}$/;
const SAFE_HASH = /^[0-9a-f]{64}$/;
const SAFE_PACKAGE = /^(@[\w.-]+\/)?[\w.-]+$/;

/** The account that a client's folder belongs to, if not the host's own. */
export interface FolderOwner {
  readonly uid: number;
  readonly gid: number;
  /** The files stay the host's own, and are the owner's to read by their group. */
  readonly lent?: boolean;
}

/** Options of {@link Store}. */
export interface StoreOptions {
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Where packages that cannot be shipped are looked for. */
  readonly packages: string;
  /** The limit of the store, in bytes; 512 MiB by default. */
  readonly most?: number;
}

/** One host's store. */
export class Store {
  readonly #folder: string;
  readonly #packages: string;
  readonly #wall: () => number;
  readonly #most: number;
  #bytes: number | undefined;
  #trimming: Promise<void> = Promise.resolve();

  constructor(folder: string, { wall, packages, most = MOST_BYTES }: StoreOptions) {
    this.#folder = folder;
    this.#packages = packages;
    this.#wall = wall;
    this.#most = most;
  }

  /** Stores a text under its hash. Throws ERR_CODE_MISSING if it is not what its hash says. */
  async put(hash: string, text: string): Promise<void> {
    if (digest(text) !== hash) throw new FlotillaError('ERR_CODE_MISSING', 'Code arrived that is not what its hash says.');
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await placeFile(this.#path(hash), text, true); // CS1
    this.#trimming = this.#trimming.then(() => this.#trim(text.length)).catch(() => {}); // nobody waits for tidying
  }

  /**
   * Gives units their names in a client's folder; returns the hashes of those whose text is not here, or damaged.
   *
   * Throws ERR_CODE_PACKAGE_ABSENT, ERR_CODE_MISSING for a name that is none, and ERR_HOST_FOLDER when the client's folder is gone.
   */
  async provide(folder: string, units: readonly UnitHead[], owner?: FolderOwner): Promise<string[]> {
    const code = join(folder, 'code');
    await mkdir(code, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw folderError(error, folder);
    });
    await linkPackage(folder, 'flotilla', ownRoot());
    const missing: string[] = [];
    for (const unit of units) {
      if (!SAFE_NAME.test(unit.name)) throw new FlotillaError('ERR_CODE_MISSING', `'${unit.name}' is no name of a unit.`);
      for (const name of unit.externals) await this.install(folder, name);
      const file = join(code, `${unit.name}.mjs`);
      if (existsSync(file)) continue;
      const text = await this.#text(unit.hash);
      if (text === undefined) missing.push(unit.hash);
      else
        await placeFile(file, text, false, owner).catch((error: NodeJS.ErrnoException) => {
          throw folderError(error, folder);
        }); // CS3
    }
    return missing;
  }

  /** Lets a client's code import a package that is installed on this machine. Throws ERR_CODE_PACKAGE_ABSENT. */
  install(folder: string, name: string): Promise<void> {
    return installPackage(folder, name, this.#packages);
  }

  #path(hash: string): string {
    if (!SAFE_HASH.test(hash)) throw new FlotillaError('ERR_CODE_MISSING', 'A hash that is none arrived.');
    return join(this.#folder, `${hash}.mjs`);
  }

  // Reads a text, if it is whole, and makes it young again, so that trimming spares what is used. CS1
  async #text(hash: string): Promise<Buffer | undefined> {
    const path = this.#path(hash);
    const text = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    if (digest(text) !== hash) {
      await rm(path, { force: true });
      return undefined;
    }
    const now = this.#wall() / 1_000;
    await utimes(path, now, now).catch(() => {}); // it has been trimmed meanwhile, but is read
    return text;
  }

  // Removes the oldest texts; clients that have copies of them work on. The sum is kept between two looks, because a look reads the whole
  // folder, and is measured anew beyond the limit, because other hosts of this user write and trim here, too. CS2
  async #trim(added: number): Promise<void> {
    if (this.#bytes !== undefined) this.#bytes += added;
    if (this.#bytes !== undefined && this.#bytes <= this.#most) return;
    const found = await Promise.all(
      (await readdir(this.#folder)).map(async (name) => ({
        path: join(this.#folder, name),
        info: await stat(join(this.#folder, name)).catch(() => undefined),
      })),
    );
    const files = found.flatMap(({ path, info }) => (info ? [{ path, info }] : [])); // others of this user tidy here too
    let bytes = files.reduce((sum, file) => sum + file.info.size, 0);
    for (const file of files.sort((a, b) => a.info.mtimeMs - b.info.mtimeMs)) {
      if (bytes <= this.#most) break;
      await rm(file.path, { force: true });
      bytes -= file.info.size;
    }
    this.#bytes = bytes;
  }
}

// Writes a draft and renames it, so that a file is at its place whole, or not at all.
async function placeFile(path: string, text: string | Buffer, onDisk: boolean, owner?: FolderOwner): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (onDisk) await file.datasync();
    } finally {
      await file.close();
    }
    if (owner?.lent) await chmod(draft, 0o640);
    else if (owner) await chown(draft, owner.uid, owner.gid);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function folderError(error: NodeJS.ErrnoException, folder: string): Error {
  if (error.code !== 'ENOENT') return error;
  const gone = existsSync(folder) ? `The folder 'code' in ${folder}` : `The folder ${folder}`;
  return new FlotillaError(
    'ERR_HOST_FOLDER',
    `${gone}, where a client's code is kept on the host, was removed while it was in use. Find out what tidies there, or start that host with --dest on another folder.`,
    { cause: error },
  );
}

/** The folder of this package, to which `flotilla` leads in a client's folder. */
export function ownRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** Lets code in a client's folder import a package that is installed on this machine. Throws ERR_CODE_PACKAGE_ABSENT. */
export async function installPackage(folder: string, name: string, packages: string): Promise<void> {
  if (!SAFE_PACKAGE.test(name) || name.includes('..'))
    throw new FlotillaError('ERR_CODE_PACKAGE_ABSENT', `'${name}' is no name of a package.`);
  const root = findPackage(name, packages);
  if (!root) {
    throw new FlotillaError(
      'ERR_CODE_PACKAGE_ABSENT',
      `The package '${name}' is not installed on the host, and cannot be shipped (is it a native addon?): looked from ${packages}. Install it there: npm install ${name}`,
    );
  }
  await linkPackage(folder, name, root);
}

function findPackage(name: string, from: string): string | undefined {
  for (const folder of createRequire(join(from, 'index.js')).resolve.paths(name) ?? []) {
    if (existsSync(join(folder, name, 'package.json'))) return join(folder, name);
  }
  return undefined;
}

async function linkPackage(folder: string, name: string, target: string): Promise<void> {
  const path = join(folder, 'node_modules', name);
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }); // the folder above lets only its owner in
  await symlink(target, path, 'junction').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
