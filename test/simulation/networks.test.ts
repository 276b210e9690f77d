// Whole networks in simulation, half of the seeds in each of two processes. More of them: npm run simulate -- --networks --seeds 2000
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const NETWORKS = 400;

test(`in ${NETWORKS} seeded networks of 5 to 20 runtimes everything is once, in order and ended, through every fault`, {
  timeout: 290_000,
}, async (t) => {
  const run = fileURLToPath(new URL('./run.js', import.meta.url));
  const half = NETWORKS / 2;
  const shares = [1, half + 1].map(
    (from) =>
      new Promise<string>((resolve, reject) => {
        const flags = ['--max-semi-space-size=64', '--stack-trace-limit=4'];
        execFile(process.execPath, [...flags, run, '--networks', '--from', `${from}`, '--seeds', `${half}`], (error, stdout) =>
          error ? reject(new Error(stdout || error.message)) : resolve(stdout),
        );
      }),
  );
  for (const line of await Promise.all(shares)) t.diagnostic(line.trim());
});
