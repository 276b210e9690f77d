// npm run soak -- --minutes 30 [--seed 17] [--journal FILE] [--plant dropped-line] [--plant leftover]
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tables } from './report.ts';
import { type Plant, Soak } from './soak.ts';

const PLAIN_LINES_MS = 10_000;
const PLANTS: readonly Plant[] = ['dropped-line', 'leftover'];
const JOURNAL_LINES = 80;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string' },
    journal: { type: 'string' },
    plant: { type: 'string', multiple: true, default: [] },
  },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : Number(values.seed);
const { journal } = values;
const plants = PLANTS.filter((plant) => values.plant.includes(plant));
if (!(minutes > 0) || !Number.isInteger(seed) || plants.length !== values.plant.length) {
  process.stderr.write('usage: npm run soak -- [--minutes N] [--seed N] [--journal FILE] [--plant dropped-line] [--plant leftover]\n');
  process.exit(2);
}
if (process.platform !== 'linux') {
  process.stderr.write('the soak reads /proc: it runs on Linux only\n');
  process.exit(2);
}

const terminal = process.stderr.isTTY;
let shownAt = 0;
const show = (line: string): void => {
  if (terminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  else if (Date.now() - shownAt >= PLAIN_LINES_MS) {
    shownAt = Date.now();
    process.stderr.write(`${line}\n`);
  }
};
const say = (text: string): void => void process.stderr.write(`${terminal ? '\r\x1b[K' : ''}${text}\n`);

const soak = new Soak({ seconds: minutes * 60, seed, plants, progress: show });
const { ledger } = soak;
ledger.onBroken = ({ atMs, text }) => say(`BROKEN after ${(atMs / 1_000).toFixed(1)} s: ${text}`);
if (journal !== undefined) ledger.onLine = (line) => appendFileSync(journal, `${line}\n`);
let interrupted = false;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (!interrupted) say('ends ...');
    interrupted = true;
    soak.stop();
  });
}
say(`soak of ${minutes} minutes with seed ${seed} (again: npm run soak -- --minutes ${minutes} --seed ${seed})`);
await soak.run();
if (terminal) process.stderr.write('\r\x1b[K');
process.stdout.write(tables(ledger, soak.lives));
const broken = ledger.broken.length;
if (broken > 0 && journal === undefined) say(`what happened last:\n${ledger.journal.slice(-JOURNAL_LINES).join('\n')}`);
process.stdout.write(
  broken > 0
    ? `\n${broken} promises were broken (seed ${seed}):\n${ledger.broken.map(({ atMs, text }) => `  ${(atMs / 1_000).toFixed(1)} s: ${text}`).join('\n')}\n`
    : `\nEvery promise held: ${ledger.results.toLocaleString('en')} results were right, ${ledger.excused} failures were kills of the soak's own, nothing is left.\n`,
);
process.exit(broken > 0 ? 1 : interrupted ? 130 : 0);
