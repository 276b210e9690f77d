// Prints the documents that are made from tables of the code: docs/errors.md, and the daemons' options in the guide. With --check, says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { formatErrorTable } from '../dist/src/base/index.js';
import { optionTable } from '../dist/src/cli/options.js';

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it is not there yet
  }
};
const errors = new URL('../docs/errors.md', import.meta.url);
const clusters = new URL('../docs/guide/02-clusters.md', import.meta.url);
const BEGIN = '<!-- options: printed by tools/print-docs.js -->';
const guide = read(clusters);
const [before = '', rest = ''] = guide.split(BEGIN);
const made = [
  [errors, formatErrorTable(), 'docs/errors.md differs from the table in src/base/errors.ts'],
  [
    clusters,
    `${before}${BEGIN}\n${optionTable()}${rest.slice(rest.indexOf('<!-- end -->'))}`,
    'docs/guide/02-clusters.md differs from the tables in src/host/settings.ts and src/cluster/daemons/scheduler-settings.ts',
  ],
];
for (const [path, text, fault] of made) {
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (read(path) !== text) {
    process.stdout.write(`${fault}. Run: node tools/print-docs.js\n`);
    process.exit(1);
  }
}
