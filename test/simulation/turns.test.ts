// Clients that take turns, on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTurns, type TurnsReport } from './turns.ts';

const SEEDS = 40;

test(`in ${SEEDS} seeded clusters clients that want it alone have their turns in the order in which they asked`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const reports: TurnsReport[] = [];
    for (const _time of seed % 20 === 0 ? ['once', 'again'] : ['once']) reports.push(await runTurns(seed));
    const [report, again = report] = reports;
    assert.deepEqual(again, report, `seed ${seed} repeats itself (Node ${process.versions.node})`);
  }
});
