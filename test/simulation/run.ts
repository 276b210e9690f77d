// npm run simulate -- --seeds 10000 | --seed 17 | --from 500 | --networks | --long | --clusters

import { FAULTS, runCluster } from './cluster.ts';
import { runDispatch } from './dispatch.ts';
import { LONG, type NetworkReport, runNetwork, SHORT } from './network.ts';
import { runSchedule, runSession } from './scenario.ts';
import { MEETINGS, runSharing } from './sharing.ts';

const value = (name: string): number | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
};
const one = value('--seed');
const from = one ?? value('--from') ?? 1;
const to = one ?? from + (value('--seeds') ?? 1_000) - 1;
const long = process.argv.includes('--long');
const only = process.argv.includes('--networks') || long;
// Stacks travel, so that both runs of a seed must be called from one place.
const runHere = async (seed: number): Promise<NetworkReport> => {
  await new Promise((resolve) => setImmediate(resolve));
  const report = await runNetwork(seed, long ? LONG : SHORT);
  return report;
};
const started = performance.now();
if (process.argv.includes('--clusters')) {
  const sums = { calls: 0, retried: 0, faults: 0, failed: 0 };
  for (const fault of FAULTS)
    for (let seed = from; seed <= to; seed++) {
      try {
        const report = await runCluster(seed, fault);
        for (const key of ['calls', 'retried', 'faults'] as const) sums[key] += report[key];
        if (one !== undefined) process.stdout.write(`${JSON.stringify(report)}\n`);
      } catch (error) {
        sums.failed++;
        process.stdout.write(
          `${fault}, seed ${seed} (Node ${process.versions.node}): ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        );
      }
    }
  for (const meeting of MEETINGS)
    for (let seed = from; seed <= to; seed++) {
      try {
        await runSharing(seed, meeting);
      } catch (error) {
        sums.failed++;
        process.stdout.write(`${meeting}, ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      }
    }
  process.stdout.write(
    `${to - from + 1} seeds of each of ${[...FAULTS, ...MEETINGS].join(', ')}: ${sums.calls} calls, items and tasks, ${sums.faults} faults, ${sums.retried} tried again, ${sums.failed} failed, ${((performance.now() - started) / 1_000).toFixed(1)} s\n`,
  );
  process.exit(sums.failed === 0 ? 0 : 1);
}
const totals = { messages: 0, deliveries: 0, crashes: 0, faults: 0, minutes: 0, failed: 0 };
for (let seed = from; seed <= to; seed++) {
  try {
    if (!only) {
      const report = await runSession(seed);
      runSchedule(seed);
      await runDispatch(seed);
      totals.messages += report.delivered;
      if (one !== undefined) process.stdout.write(`${JSON.stringify(report)}\n`);
    }
    const network = await runHere(seed);
    if (!long && seed % 100 === 0 && (await runHere(seed)).digest !== network.digest)
      throw new Error(`seed ${seed} does not repeat itself`);
    totals.deliveries += network.deliveries;
    totals.crashes += network.crashes;
    totals.faults += network.faults;
    totals.minutes += network.ms / 60_000;
    if (one !== undefined) process.stdout.write(`${JSON.stringify(network)}\n`);
  } catch (error) {
    totals.failed++;
    process.stdout.write(
      `seed ${seed} (Node ${process.versions.node}): ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
}
const { messages, deliveries, crashes, faults, minutes, failed } = totals;
process.stdout.write(
  `${to - from + 1} seeds: ${only ? '' : `${messages} messages between pairs, `}${deliveries} deliveries in networks (${faults} faults, ${crashes} restarts, ${minutes.toFixed(0)} virtual minutes), ${failed} failed, ${((performance.now() - started) / 1_000).toFixed(1)} s\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
