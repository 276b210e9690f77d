// Compiles src, test, examples and bench to dist. Fast when nothing changed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
if (!existsSync(tsc)) {
  if (existsSync(join(root, 'dist', 'src', 'index.js'))) process.exit(0);
  process.stderr.write('flotilla cannot be built: TypeScript is not installed. Run: npm ci\n');
  process.exit(1);
}
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const absent = Object.keys(dependencies).filter((name) => !existsSync(join(root, 'node_modules', name)));
if (absent.length > 0) {
  process.stderr.write(`flotilla cannot be built: ${absent.join(', ')} is not installed. Run: npm ci\n`);
  process.exit(1);
}
if (process.argv.includes('--clean')) rmSync(join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// What users and worker processes load is few files instead of many: a worker is up in half the time.
const { build } = await import('esbuild');
const { takingModule } = await import('./taken/names.js');
const { rewrite } = await import('./taken/rewrite.js');
const src = join(root, 'dist', 'src');
rmSync(join(root, 'dist', 'lib'), { recursive: true, force: true });
const common = {
  outdir: join(root, 'dist', 'lib'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
  define: { BUNDLED: 'true' },
};
// A process and its thread are up a quarter sooner if neither needs the loader of ES modules to begin with.
const worker = {
  ...common,
  outdir: join(root, 'dist', 'lib', 'worker'),
  format: 'cjs',
  splitting: false,
  minify: true,
  banner: { js: "const __file = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': '__file' },
};
// What runs beside a program's code uses the language as it was before that was loaded.
const taking = {
  name: 'taking',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^flotilla:taken$/ }, () => ({ path: 'taken', namespace: 'taken' }));
    onLoad({ filter: /.*/, namespace: 'taken' }, () => ({ contents: takingModule(), loader: 'js' }));
    onLoad({ filter: /dist\/src\/.*\.js$/ }, ({ path }) => ({
      contents: rewrite(readFileSync(path, 'utf8'), 'flotilla:taken'),
      loader: 'js',
    }));
  },
};
await Promise.all([
  build({
    ...common,
    entryPoints: {
      index: join(src, 'index.js'),
      testing: join(src, 'testing', 'index.js'),
      cli: join(src, 'cli', 'index.js'),
      'ts-hooks': join(src, 'cli', 'ts-hooks.js'),
      'pulse-thread': join(src, 'kernel', 'threads', 'pulse-thread.js'),
    },
  }),
  build({ ...worker, entryPoints: [join(src, 'worker', 'thread.js')] }),
  build({ ...worker, entryPoints: [join(src, 'worker', 'serve.js')], plugins: [taking] }),
  build({
    ...worker,
    entryPoints: [join(src, 'worker', 'main.js')],
    external: ['./serve.js'],
    supported: { 'dynamic-import': false },
  }),
]);
writeFileSync(join(root, 'dist', 'lib', 'worker', 'package.json'), '{ "type": "commonjs" }\n');
