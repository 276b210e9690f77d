// Everything that must hold, one line each when it does: format and lint, types, layers, printed documents, tests.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const bin = (name) => join(root, 'node_modules', '.bin', name);
const steps = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings']],
  ['types', process.execPath, [join(root, 'tools', 'build.js')]],
  ['layers', process.execPath, [join(root, 'tools', 'check-layers.js')]],
  ['printed documents', process.execPath, [join(root, 'tools', 'print-docs.js'), '--check']],
  ['tests', process.execPath, [join(root, 'tools', 'test.js')]],
];
let failed = 0;
for (const [name, command, args] of steps) {
  if (name === 'tests' && process.argv.includes('--without-tests')) continue;
  const started = performance.now();
  const shown = name === 'tests';
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: shown ? 'inherit' : 'pipe' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)\n`);
  if (status === 0) continue;
  failed++;
  if (!shown) process.stdout.write(`${stdout}${stderr}`);
}
process.exit(failed === 0 ? 0 : 1);
