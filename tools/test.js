// Builds, then runs the tests on the built code: all of them, or those whose path has one of the words given.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const build = spawnSync(process.execPath, [join(root, 'tools', 'build.js')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const folder = join(root, 'dist', 'test');
const files = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.test.js') && existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort()
  .map((name) => join(folder, name));
if (files.length === 0) {
  process.stderr.write(`no test has ${words.join(' or ')} in its path\n`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=3', '--test-timeout=600000', '--test-reporter=spec', ...files],
  {
    stdio: 'inherit',
    cwd: root,
  },
);
process.exit(status ?? 1);
