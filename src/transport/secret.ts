// The secret file: 32 random bytes, made at first use, readable by its owner only.
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, FlotillaError, type RandomBytes } from '../base/index.ts';
import { MOST_SECRETS } from './keys.ts';

const SECRET_BYTES = 32;

/** The path of the secret file: FLOTILLA_SECRET_FILE, or one in the user's own folder. */
export function secretPath(variables: Readonly<NodeJS.ProcessEnv>): string {
  return variables['FLOTILLA_SECRET_FILE'] ?? join(variables['HOME'] || homedir(), '.flotilla', 'secret');
}

/** A secret, where it came from, and the one before that is still valid while it is being changed. */
export interface LoadedSecret {
  readonly secret: Uint8Array;
  /** The valid secrets, the current one first. */
  readonly all: readonly Uint8Array[];
  readonly from: string;
  readonly created: boolean;
}

/** The secret from FLOTILLA_SECRET or the file, which is made if it does not exist. Throws ERR_SECRET_FILE. */
export function loadSecret(random: RandomBytes, variables: Readonly<NodeJS.ProcessEnv>): LoadedSecret {
  const path = secretPath(variables);
  const given = variables['FLOTILLA_SECRET'];
  if (given) return loaded(parseSecrets(given), 'FLOTILLA_SECRET', false);
  try {
    return loaded(readSecrets(path), path, false);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw secretError(path, error);
  }
  try {
    createSecret(random, path);
    return loaded(readSecrets(path), path, true);
  } catch (error) {
    throw secretError(path, error);
  }
}

function loaded(all: readonly Uint8Array[], from: string, created: boolean): LoadedSecret {
  return { secret: all[0] as Uint8Array, all, from, created };
}

function readSecrets(path: string): Uint8Array[] {
  const text = readFileSync(path, 'utf8').trim();
  const mode = statSync(path).mode & 0o777;
  if (process.platform !== 'win32' && mode & 0o077) {
    throw new FlotillaError(
      'ERR_SECRET_FILE',
      `The secret in ${path} can be read by others (mode ${mode.toString(8)}). Run: chmod 600 ${path}`,
    );
  }
  if (text.length === 0) throw new FlotillaError('ERR_SECRET_FILE', `The secret file ${path} is empty. Delete it to have a new one made.`);
  return parseSecrets(text);
}

function parseSecrets(text: string): Uint8Array[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').map((line) => (/^[0-9a-f]{64}$/.test(line) ? Buffer.from(line, 'hex') : Buffer.from(line)));
}

/** Makes a new secret and keeps the one before valid. Throws ERR_SECRET_FILE while another change is not done. */
export function rotateSecret(random: RandomBytes, path: string): void {
  const lines = secretLines(path);
  if (lines.length >= MOST_SECRETS) {
    throw new FlotillaError('ERR_SECRET_FILE', `A change of the secret in ${path} is under way. Finish it first: flotilla secret drop.`);
  }
  replaceSecrets(random, path, [Buffer.from(random(SECRET_BYTES)).toString('hex'), ...lines]);
}

/** Ends a change: only the current secret is valid. Returns how many were dropped. */
export function dropOldSecrets(random: RandomBytes, path: string): number {
  const lines = secretLines(path);
  if (lines.length > 1) replaceSecrets(random, path, lines.slice(0, 1));
  return lines.length - 1;
}

function secretLines(path: string): string[] {
  try {
    readSecrets(path);
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
  } catch (error) {
    throw secretError(path, error);
  }
}

function replaceSecrets(random: RandomBytes, path: string, lines: readonly string[]): void {
  const draft = `${path}.${process.pid}.${Buffer.from(random(6)).toString('hex')}`;
  writeFileSync(draft, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

// The file is written elsewhere and linked into place, so that of several processes at once one makes it and all read it whole.
function createSecret(random: RandomBytes, path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${Buffer.from(random(6)).toString('hex')}`;
  writeFileSync(draft, `${Buffer.from(random(SECRET_BYTES)).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function secretError(path: string, error: unknown): unknown {
  if (error instanceof FlotillaError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FlotillaError(
    'ERR_SECRET_FILE',
    `The secret file ${path} cannot be used: ${message}. Set FLOTILLA_SECRET_FILE to another place, or FLOTILLA_SECRET to the secret itself.`,
    { cause: error },
  );
}
