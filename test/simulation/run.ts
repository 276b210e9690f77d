// npm run simulate -- --seeds 10000 | --seed 17
import { runDispatch } from './dispatch.ts';
import { runSchedule, runSession } from './scenario.ts';

const value = (name: string): number | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
};
const one = value('--seed');
const from = one ?? value('--from') ?? 1;
const to = one ?? from + (value('--seeds') ?? 1_000) - 1;
const started = performance.now();
let delivered = 0;
let failed = 0;
for (let seed = from; seed <= to; seed++) {
  try {
    const report = await runSession(seed);
    runSchedule(seed);
    await runDispatch(seed);
    delivered += report.delivered;
    if (one !== undefined) console.log(report);
  } catch (error) {
    failed++;
    console.log(`seed ${seed} (Node ${process.versions.node}):`, error);
  }
}
const seconds = (performance.now() - started) / 1_000;
console.log(`${to - from + 1} seeds, ${delivered} messages, ${failed} failed, ${seconds.toFixed(1)} s`);
process.exitCode = failed === 0 ? 0 : 1;
