// The secret file: 32 random bytes, made at first use, readable by its owner only.
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { FlotillaError, type RandomBytes } from '../base/index.ts';

const SECRET_BYTES = 32;

/** Where the secret lies unless said otherwise. */
export function secretPath(): string {
  return process.env['FLOTILLA_SECRET_FILE'] ?? join(process.env['HOME'] || homedir(), '.flotilla', 'secret');
}

/** The secret from FLOTILLA_SECRET or the file, which is made if it does not exist. Throws ERR_SECRET_FILE. */
export function loadSecret(random: RandomBytes, path = secretPath()): { secret: Uint8Array; from: string; created: boolean } {
  const given = process.env['FLOTILLA_SECRET'];
  if (given) return { secret: parseSecret(given), from: 'FLOTILLA_SECRET', created: false };
  try {
    return { secret: readSecret(path), from: path, created: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw secretError(path, error);
  }
  try {
    createSecret(random, path);
    return { secret: readSecret(path), from: path, created: true };
  } catch (error) {
    throw secretError(path, error);
  }
}

function readSecret(path: string): Uint8Array {
  const text = readFileSync(path, 'utf8').trim();
  const mode = statSync(path).mode & 0o777;
  if (process.platform !== 'win32' && mode & 0o077) {
    throw new FlotillaError(
      'ERR_SECRET_FILE',
      `The secret in ${path} can be read by others (mode ${mode.toString(8)}). Run: chmod 600 ${path}`,
    );
  }
  if (text.length === 0) throw new FlotillaError('ERR_SECRET_FILE', `The secret file ${path} is empty. Delete it to have a new one made.`);
  return parseSecret(text);
}

function parseSecret(text: string): Uint8Array {
  return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text);
}

// Written apart and linked into place, so that of several processes at once one makes it and all read it whole.
function createSecret(random: RandomBytes, path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${Buffer.from(random(6)).toString('hex')}`;
  writeFileSync(draft, `${Buffer.from(random(SECRET_BYTES)).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
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
