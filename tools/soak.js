// Builds, then runs the soak: real processes, faults and a check of every result. --minutes N, --seed N, --journal FILE.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const build = spawnSync(process.execPath, [join(root, 'tools', 'build.js')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
await import(join(root, 'dist', 'test', 'soak', 'run.js'));
