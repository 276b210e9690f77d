// Runs the benches and prints one table. `-- NAME` runs those whose file or row has the word; `--json` is for machines.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
delete process.env.NODE_EXTRA_CA_CERTS;
const build = spawnSync(process.execPath, [join(root, 'tools', 'build.js')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
const word = process.argv.slice(2).find((arg) => !arg.startsWith('--'));
const json = process.argv.includes('--json');
const files = {
  messages: ['one-way messages', 'round trip'],
  requests: ['request over'],
  bulk: ['bulk'],
  calls: ['run, idle', 'run, in flight', 'map'],
  files: ['a file'],
  runtime: ['service calls', 'fan-out', 'tasks', 'pulses'],
  queue: ['queued calls', 'client memory'],
  cluster: ['worker ready', 'memory', 'grant'],
  jobs: ['factoring job', 'worker start', 'first result'],
};
const rows = [];
for (const [file, about] of Object.entries(files)) {
  if (word && !file.includes(word) && !about.some((name) => name.includes(word))) continue;
  if (!json) process.stderr.write(`${file} ...\n`);
  const { bench } = await import(join(root, 'dist', 'bench', `${file}.js`));
  rows.push(...(await bench()));
}
const number = (value, unit) =>
  unit === '/s'
    ? value >= 1e6
      ? `${(value / 1e6).toFixed(2)} M/s`
      : `${(value / 1e3).toFixed(0)} k/s`
    : `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
if (json) process.stdout.write(`${JSON.stringify({ node: process.versions.node, rows }, undefined, 2)}\n`);
else {
  const lines = rows.map((row) => [
    row.name,
    number(row.ours, row.unit),
    number(row.limit, row.unit),
    (row.ours / row.limit).toFixed(2),
    row.goal,
    row.limitName,
    row.peer ?? '',
  ]);
  const head = ['what', 'ours', 'limit', 'ratio', 'goal', 'the limit is', 'peer'];
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  const print = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |\n`;
  process.stdout.write(
    `Node ${process.versions.node}\n\n${print(head)}${print(widths.map((width) => '-'.repeat(width)))}${lines.map(print).join('')}`,
  );
}
process.exit(0);
