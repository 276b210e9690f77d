// Accounts of this system that workers run under, so that clients cannot touch the host's files, nor each other's.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FlotillaError } from '../base/index.ts';

/** An account of the system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The accounts of names, or numbers, separated by commas. Throws ERR_OPTION_INVALID. */
export function accountsOf(users: string | undefined, group: string | undefined): readonly Account[] {
  if (users === undefined && group === undefined) return [];
  if (process.platform === 'win32') throw new FlotillaError('ERR_OPTION_INVALID', 'Windows cannot start workers as another user.');
  if (process.getuid?.() !== 0) {
    throw new FlotillaError(
      'ERR_OPTION_INVALID',
      `Only root can start workers as another user, and this host runs as user ${process.getuid?.()}. Start it with sudo, or leave --user and --group out.`,
    );
  }
  const passwd = entries('/etc/passwd');
  const gid = group === undefined ? undefined : idOf(group, entries('/etc/group'), 'group');
  return (users ?? String(process.getuid())).split(',').map((text) => {
    const name = text.trim();
    const uid = idOf(name, passwd, 'user');
    const own = passwd.find((fields) => Number(fields[2]) === uid)?.[3];
    if (uid === 0) throw new FlotillaError('ERR_OPTION_INVALID', 'Workers must not run as root: give another user.');
    return { name, uid, gid: gid ?? (own === undefined ? uid : Number(own)) };
  });
}

/** Throws ERR_OPTION_INVALID when an account cannot run this Node.js, or cannot read the program of a worker. */
export function checkCanRun(accounts: readonly Account[], entry: string): void {
  for (const { name, uid, gid } of accounts) {
    const { error, status } = spawnSync(process.execPath, ['-e', 'require("fs").accessSync(process.argv[1], 4)', entry], {
      uid,
      gid,
      cwd: '/',
      env: {},
      stdio: 'ignore',
    });
    if (!error && status === 0) continue;
    throw new FlotillaError(
      'ERR_OPTION_INVALID',
      `User '${name}' cannot ${error ? `run '${process.execPath}' (${error.message})` : `read '${entry}'`}, so no worker can start as that user. Install ${error ? 'Node.js' : 'Flotilla'} where every user may read it, or open the folders above it: chmod o+rx FOLDER.`,
    );
  }
}

function idOf(name: string, known: readonly string[][], what: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const id = known.find((fields) => fields[0] === name)?.[2];
  if (id !== undefined) return Number(id);
  throw new FlotillaError(
    'ERR_OPTION_INVALID',
    `This system has no ${what} '${name}'. Make one, for example with: useradd --system ${name}`,
  );
}

function entries(path: string): string[][] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
