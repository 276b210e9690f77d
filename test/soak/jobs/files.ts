// Files to hosts and back, checked by their hashes.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from 'flotilla';
import { hashOf, sendBack } from '../work.ts';
import { describe, type Job, nextNumber } from './context.ts';

const MOST_BYTES = 3_000_000;
/** A host that has been granted to another client meanwhile may come back, or not. */
const WAIT_MS = 20_000;

export const files: Job = async ({ client, name, choice, folder, checked, broken, worker }) => {
  const since = Date.now();
  const file = `${name}-${nextNumber()}.bin`;
  const path = join(folder, file);
  mkdirSync(folder, { recursive: true });
  const data = randomBytes(choice.between(0, MOST_BYTES));
  writeFileSync(path, data);
  const hash = createHash('sha256').update(data).digest('hex');
  const host = choice.one(client.hosts().filter(({ state, ready }) => state === 'initialized' && ready > 0));
  if (!host) return;
  try {
    const [outcome] = await client.sendFile(host.name, path);
    if (outcome?.kind !== 'sent' || outcome.hash !== hash) broken(`a file of ${data.length} bytes was sent as ${JSON.stringify(outcome)}`);
    const there = await client.with({ at: host.name, retries: 0, timeout: WAIT_MS }).run(hashOf, file);
    worker(there.pid);
    if (there.value !== hash) broken(`a file of ${data.length} bytes has another hash on its host`);
    checked('files', 1);
  } catch (error) {
    if (hasCode(error, 'ERR_TIMEOUT') || !client.hosts().some((one) => one.name === host.name)) return;
    broken(`a file could not be sent to a host and looked at: ${describe(error)}`, { killsSince: since });
  } finally {
    rmSync(path, { force: true });
  }
};

export const filesBack: Job = async ({ client, name, choice, checked, broken, worker }) => {
  const since = Date.now();
  const file = `back-${nextNumber()}.bin`;
  try {
    const there = await client.with({ retries: 0 }).run(sendBack, file, choice.between(0, MOST_BYTES), name);
    worker(there.pid);
    const path = join(client.runtime.filesDir, name, file);
    if (createHash('sha256').update(readFileSync(path)).digest('hex') !== there.value) broken('a file that came back has another hash');
    rmSync(path, { force: true });
    checked('files', 1);
  } catch (error) {
    broken(`a file could not be sent to its client: ${describe(error)}`, { killsSince: since });
  }
};
