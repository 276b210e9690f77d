// Prints the documents that are made from tables of the code: docs/errors.md. With --check, says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { formatErrorTable } from '../dist/src/base/index.js';

const path = new URL('../docs/errors.md', import.meta.url);
const text = formatErrorTable();
if (process.argv.includes('--check')) {
  let current = '';
  try {
    current = readFileSync(path, 'utf8');
  } catch {
    // it is not there yet
  }
  if (current !== text) {
    process.stdout.write('docs/errors.md differs from the table in src/base/errors.ts. Run: node tools/print-docs.js\n');
    process.exit(1);
  }
} else writeFileSync(path, text);
