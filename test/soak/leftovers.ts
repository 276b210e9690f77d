// What must not be there when everything has ended: processes, folders, sockets.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import { signal, withMark } from './processes.ts';

const GONE_MS = 5_000;
/** A host keeps code that was sent to it, for the next client; the folder of the claims of hosts with ports of their own stays empty. */
const KEPT = /^flotilla-\d+(\/hosts|\/store(\/[0-9a-f]{64}\.mjs)?)?$/;

/** The folder of a host that was killed. */
const KILLED = /^flotilla-\d+\/host-/;

/** Tells of all that was left, and removes it; of folders of those that were killed only if one has started since, which sweeps them. */
export async function checkLeftovers(fleet: Fleet, ledger: Ledger, swept: boolean): Promise<void> {
  let left = withMark(fleet.mark);
  for (const end = Date.now() + GONE_MS; left.length > 0 && Date.now() < end; left = withMark(fleet.mark))
    await new Promise((resolve) => setTimeout(resolve, 50));
  for (const { pid, title } of left) {
    ledger.claim(`the process ${pid} was left: ${title.slice(0, 120)}`);
    signal(pid, 'SIGKILL');
  }
  const tmp = join(fleet.folder, 'tmp');
  const names = readdirSync(tmp, { recursive: true }).map(String);
  const strange = names.filter((name) => !KEPT.test(name) && (swept || !KILLED.test(name)));
  if (strange.length > 0)
    ledger.claim(`${strange.length} files, folders or sockets were left in the temporary directory: ${strange.slice(0, 10).join(', ')}`);
  rmSync(fleet.folder, { recursive: true, force: true, maxRetries: 5 });
}
