// Accounts of this system that workers run under, so that clients cannot touch the host's files, nor each other's.
//
//   US1. Only workers get the account that a suid or sgid copy of Node.js lends: this process goes on as the user who started it.
//   US2. A worker has no way back: its real, effective and saved ids are one.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FlotillaError } from '../../base/index.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';

/** An account of the system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Whether a suid or sgid copy of Node.js lends it. */
  readonly lent?: boolean;
}

/** Goes on as the user who started this process; returns the account that a suid or sgid copy of Node.js lends, for workers. US1 */
export function dropLentIds(): Account | undefined {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  const [lentUid, lentGid] = [process.geteuid?.(), process.getegid?.()];
  if (uid === undefined || gid === undefined || lentUid === undefined || lentGid === undefined) return undefined;
  if (uid === lentUid && gid === lentGid) return undefined;
  const name = entries('/etc/passwd').find((fields) => Number(fields[2]) === lentUid)?.[0] ?? String(lentUid);
  // The group stays, because host and workers share folders by it. The mask keeps all others out.
  process.umask(0o007);
  process.seteuid?.(uid);
  return { name, uid: lentUid, gid: lentGid, lent: true };
}

/** Acts as an account that was lent, until `act` returns; for any other account, acts as this process itself. */
export function asLent<T>(account: Account | undefined, act: () => T): T {
  if (!account?.lent) return act();
  process.seteuid?.(account.uid);
  try {
    return act();
  } finally {
    if (process.getuid) process.seteuid?.(process.getuid());
  }
}

/** The command that runs Node.js as an account. US2 */
export function commandOf(
  account: Account | undefined,
  args: readonly string[],
): { command: string; args: string[]; ids: { uid?: number; gid?: number } } {
  if (!account) return { command: process.execPath, args: [...args], ids: {} };
  const { uid, gid } = account;
  if (!account.lent) return { command: process.execPath, args: [...args], ids: { uid, gid } };
  const become = [`--reuid=${uid}`, `--regid=${gid}`, '--keep-groups', '--'];
  return { command: 'setpriv', args: [...become, process.execPath, ...args], ids: {} };
}

/** The accounts of names, or numbers, separated by commas; or the one that was lent. Throws ERR_OPTION_INVALID. */
export function accountsOf(users: string | undefined, group: string | undefined, lent?: Account): readonly Account[] {
  if (lent) {
    if (users !== undefined || group !== undefined)
      throw new FlotillaError(
        'ERR_OPTION_INVALID',
        `This copy of Node.js is suid or sgid: workers run as '${lent.name}'. Leave --user and --group out, or use a plain copy.`,
      );
    if (lent.uid === 0)
      throw new FlotillaError('ERR_OPTION_INVALID', `Workers must not run as root: give '${process.execPath}' to another user.`);
    return [lent];
  }
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
  for (const account of accounts) {
    const { command, args, ids } = commandOf(account, ['-e', 'require("fs").accessSync(process.argv[1], 4)', entry]);
    const { error, status } = asLent(account, () => spawnSync(command, args, { ...ids, cwd: '/', env: { PATH }, stdio: 'ignore' }));
    if (!error && status === 0) continue;
    const { name } = account;
    if (account.lent && error && 'code' in error && error.code === 'ENOENT')
      throw new FlotillaError(
        'ERR_HOST_START',
        `Workers run as '${name}' by the program 'setpriv', which is not found. Install util-linux.`,
      );
    throw new FlotillaError(
      'ERR_OPTION_INVALID',
      `User '${name}' cannot ${error ? `run '${process.execPath}' (${error.message})` : `read '${entry}'`}, so no worker can start as that user. Install ${error ? 'Node.js' : 'Flotilla'} where every user may read it, or open the folders above it: chmod o+rx FOLDER.`,
    );
  }
}

/** Removes the files of an account from a folder. A process of that account does it, because no other may. */
export function clearAs(account: Account, folder: string): Promise<void> {
  const script =
    'const { readdirSync, rmSync } = require("fs"); for (const name of readdirSync(process.argv[1])) try { rmSync(process.argv[1] + "/" + name, { recursive: true, force: true, maxRetries: 3 }); } catch {}';
  const { command, args, ids } = commandOf(account, ['-e', script, folder]);
  const child = asLent(account, () => spawn(command, args, { ...ids, cwd: '/', env: { PATH }, stdio: 'ignore' }));
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
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
