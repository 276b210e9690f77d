// The code that a host holds: texts by hash, once each, and for every client a folder in which its units have their names.
//
//   S1. A text is stored under its hash, checked when it arrives, and put in place by renaming.
//   S2. The store is bounded: beyond MOST_BYTES, what was stored longest ago goes.
//   S3. A client's folder holds copies; it works on when the store forgets, and goes with the client.
import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { chmod, chown, copyFile, link, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlotillaError } from '../base/index.ts';
import { digest, type UnitHead } from './unit.ts';

const MOST_BYTES = 512 << 20;
const SAFE_NAME = /^[mp][0-9a-f]{16}$/;
const SAFE_HASH = /^[0-9a-f]{64}$/;
const SAFE_PACKAGE = /^(@[\w.-]+\/)?[\w.-]+$/;

/** Whose a client's folder is, if not the host's own. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** The files stay the host's own, and are the owner's to read by their group. */
  readonly lent?: boolean;
}

/** One host's store. */
export class Store {
  readonly #folder: string;
  readonly #packages: string;
  #bytes: number | undefined;
  #trimming: Promise<void> = Promise.resolve();

  /** `packages` is where packages that cannot be shipped are looked for. */
  constructor(folder: string, packages: string = process.cwd()) {
    this.#folder = folder;
    this.#packages = packages;
  }

  /** The hashes that are not here. */
  missing(hashes: readonly string[]): string[] {
    return hashes.filter((hash) => !existsSync(this.#path(hash)));
  }

  /** Stores a text under its hash. Throws ERR_CODE_MISSING if it is not what its hash says. */
  async put(hash: string, text: string): Promise<void> {
    if (digest(text) !== hash) throw new FlotillaError('ERR_CODE_MISSING', 'Code arrived that is not what its hash says.');
    const path = this.#path(hash);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(draft, text, { mode: 0o600 });
      await rename(draft, path); // S1
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    this.#trimming = this.#trimming.then(() => this.#trim(text.length)).catch(() => {}); // nobody waits for tidying
  }

  /** Gives units their names in a client's folder. Throws ERR_CODE_PACKAGE_ABSENT, ERR_CODE_MISSING. */
  async provide(folder: string, units: readonly UnitHead[], owner?: Owner): Promise<void> {
    const code = join(folder, 'code');
    await mkdir(code, { recursive: true, mode: 0o700 });
    await linkPackage(folder, 'flotilla', ownRoot());
    for (const unit of units) {
      if (!SAFE_NAME.test(unit.name)) throw new FlotillaError('ERR_CODE_MISSING', `'${unit.name}' is no name of a unit.`);
      for (const name of unit.externals) await this.install(folder, name);
      const file = join(code, `${unit.name}.mjs`);
      if (existsSync(file)) continue;
      try {
        if (owner) await copyFor(this.#path(unit.hash), file, owner);
        else
          await link(this.#path(unit.hash), file).catch((error: NodeJS.ErrnoException) => copyInstead(error, this.#path(unit.hash), file));
      } catch (error) {
        const { code: why } = error as NodeJS.ErrnoException;
        if (why === 'EEXIST') continue;
        if (why !== 'ENOENT') throw error;
        throw new FlotillaError('ERR_CODE_MISSING', `The code of unit ${unit.name} is not on the host.`, { cause: error });
      }
    }
  }

  /** Lets a client's code import a package that is installed on this machine. Throws ERR_CODE_PACKAGE_ABSENT. */
  install(folder: string, name: string): Promise<void> {
    return installPackage(folder, name, this.#packages);
  }

  #path(hash: string): string {
    if (!SAFE_HASH.test(hash)) throw new FlotillaError('ERR_CODE_MISSING', 'A hash that is none arrived.');
    return join(this.#folder, `${hash}.mjs`);
  }

  // S2
  async #trim(added: number): Promise<void> {
    if (this.#bytes !== undefined) this.#bytes += added;
    if (this.#bytes !== undefined && this.#bytes <= MOST_BYTES) return;
    const found = await Promise.all(
      (await readdir(this.#folder)).map(async (name) => ({
        path: join(this.#folder, name),
        info: await stat(join(this.#folder, name)).catch(() => undefined),
      })),
    );
    const files = found.flatMap(({ path, info }) => (info ? [{ path, info }] : [])); // others of this user tidy here too
    let bytes = files.reduce((sum, file) => sum + file.info.size, 0);
    for (const file of files.sort((a, b) => a.info.mtimeMs - b.info.mtimeMs)) {
      if (bytes <= MOST_BYTES) break;
      await rm(file.path, { force: true });
      bytes -= file.info.size;
    }
    this.#bytes = bytes;
  }
}

// Not every file system has links, and some have a limit to them.
async function copyInstead(error: NodeJS.ErrnoException, from: string, to: string): Promise<void> {
  if (!['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) throw error;
  await copyFile(from, to, constants.COPYFILE_EXCL);
}

// A link would give away the store's own copy.
async function copyFor(from: string, to: string, { uid, gid, lent }: Owner): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  if (lent) await chmod(to, 0o640);
  else await chown(to, uid, gid);
}

/** The folder of this package: what a worker's `flotilla` is. */
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
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }); // the folder above lets nobody in but whose it is
  await symlink(target, path, 'junction').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
