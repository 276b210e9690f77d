import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDispatch } from './dispatch.ts';
import { runSchedule, runSession } from './scenario.ts';

const SEEDS = 1_000;

test(`in ${SEEDS} seeded networks every message arrives once and in order, through cuts and partitions, and each monitor fires once`, async (t) => {
  let cuts = 0;
  let delivered = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const report = await runSession(seed);
    cuts += report.cuts;
    delivered += report.delivered;
    if (seed % 100 !== 0) continue;
    const again = await runSession(seed);
    assert.deepEqual(again, report, `seed ${seed} repeats itself (Node ${process.versions.node})`);
  }
  t.diagnostic(`${SEEDS} seeds, ${delivered} messages, ${cuts} connection ends cut`);
});

test(`in ${SEEDS} seeded clusters no worker place is granted twice, and none stays free while somebody waits`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) runSchedule(seed);
});

test(`in ${SEEDS} seeded clusters every call and item is settled once and rightly, though workers vanish under them`, async (t) => {
  let losses = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const report = await runDispatch(seed);
    losses += report.cuts;
    if (seed % 100 === 0) assert.deepEqual(await runDispatch(seed), report, `seed ${seed} repeats itself (Node ${process.versions.node})`);
  }
  t.diagnostic(`${SEEDS} seeds, ${losses} workers lost`);
});
