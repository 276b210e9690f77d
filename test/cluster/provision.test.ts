// What hosts are given: code that a host had to let go meanwhile is sent again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Jobs } from '../../src/cluster/calls/jobs.ts';
import { partsOf } from '../../src/cluster/crew/components.ts';
import { Provision } from '../../src/cluster/crew/provision.ts';
import { emptyCrew } from '../../src/cluster/crew/state.ts';
import { Station } from '../../src/cluster/crew/station.ts';
import { Library } from '../../src/code/index.ts';
import { HOST, type HostDoor } from '../../src/host/index.ts';
import { Runtime } from '../../src/kernel/index.ts';
import { some } from '../support/doors.ts';

const SCALE = new URL('../fixtures/scale.js', import.meta.url);

// A host that loses all code some times, after it has said that it has it.
async function equip(forgets: number): Promise<string[]> {
  const secret = 'a secret of this test';
  await using host = await Runtime.start({ role: 'host', secret, listen: 'tcp://127.0.0.1:0' });
  await using client = await Runtime.start({ role: 'client', secret });
  await client.connect(host.location as string);
  const has = new Set<string>();
  const said: string[] = [];
  let left = forgets;
  const answers = some<HostDoor>({
    provide: (_asked, units) => {
      if (has.size > 0 && left-- > 0) has.clear();
      const missing = units.map(({ hash }) => hash).filter((hash) => !has.has(hash));
      said.push(missing.length === 0 ? 'all there' : 'missing');
      return missing;
    },
    put: (_asked, hash) => void has.add(hash),
  });
  host.kernel.serve(HOST, answers);
  const provision = new Provision({
    runtime: client,
    jobs: new Jobs({ runtime: client, library: new Library(), inline: false }),
    parts: partsOf([SCALE]),
    hostSetUp: undefined,
    workerSetUp: undefined,
    crew: emptyCrew(),
  });
  const facts = { name: 'lossy', platform: '', workers: 1, cores: 1, memory: 0, disk: 0, swap: 0 };
  await provision.equip(new Station(host.id, facts, []));
  return said;
}

test('code that a host had to let go between saying that it has it and using it is sent again', async () => {
  assert.deepEqual(await equip(2), ['missing', 'missing', 'missing', 'all there']);
});

test('a host that loses code as often as it is sent is not used, and why is said', async () => {
  await assert.rejects(equip(1_000), { code: 'ERR_CODE_MISSING', message: /Host 'lossy' has lost the code .* Look at the disk/ });
});
