// Whole clusters in simulation, under one kind of fault each. More of them: npm run simulate -- --clusters --seeds 1000
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS, runCluster } from './cluster.ts';
import { MEETINGS, runSharing } from './sharing.ts';

const CLUSTERS = 30;
const MEETING = 15;

for (const fault of FAULTS) {
  test(`in ${CLUSTERS} seeded clusters all is settled once and nothing is left, under this: ${fault}`, async (t) => {
    let faults = 0;
    let calls = 0;
    for (let seed = 1; seed <= CLUSTERS; seed++) {
      // From one line of code: the stacks of errors that travel name it.
      const reports = [];
      for (const _time of seed % 15 === 0 ? ['once', 'again'] : ['once']) reports.push(await runCluster(seed, fault));
      const [report, again = report] = reports as [Awaited<ReturnType<typeof runCluster>>];
      faults += report.faults;
      calls += report.calls;
      assert.deepEqual(again, report, `seed ${seed} repeats itself (Node ${process.versions.node})`);
    }
    t.diagnostic(`${calls} calls, items and tasks, ${faults} faults`);
  });
}

for (const meeting of MEETINGS) {
  test(`in ${MEETING} seeded clusters clients share, nobody waits beside idle places, and nothing is lost: ${meeting}`, async () => {
    for (let seed = 1; seed <= MEETING; seed++) {
      const reports = [];
      for (const _time of seed === MEETING ? ['once', 'again'] : ['once']) reports.push(await runSharing(seed, meeting));
      const [report, again = report] = reports as [Awaited<ReturnType<typeof runSharing>>];
      assert.deepEqual(again, report, `seed ${seed} repeats itself (Node ${process.versions.node})`);
    }
  });
}
