// A package as a unit: bundled with what it requires; packages that it imports are units of their own.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { TraceMap } from '@jridgewell/trace-mapping';
import { loadEsbuild, TARGET } from './esbuild.ts';
import { follow, type Needs } from './module.ts';
import { resolveImport } from './resolve.ts';
import { makeUnit, type Unit, unitName } from './unit.ts';

const REQUIRE = "import { createRequire as __flotilla_require } from 'node:module'; const require = __flotilla_require(import.meta.url);";

/** Builds the unit of a package's file. A package that cannot be bundled (a native addon) becomes a pointer to the worker's own copy. */
export async function buildPackage(file: string, name: string, needs: Needs): Promise<Unit> {
  const esbuild = await loadEsbuild();
  const imports = new Set<string>();
  const externals = new Set<string>();
  const unit = unitName('package', file);
  try {
    const result = await esbuild.build({
      entryPoints: [file],
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: TARGET,
      sourcemap: 'external',
      outfile: `${unit}.mjs`,
      logLevel: 'silent',
      banner: { js: REQUIRE },
      plugins: [
        {
          name: 'packages apart',
          setup(build) {
            build.onResolve({ filter: /^[^./]/ }, async (args) => {
              if (args.kind !== 'import-statement' && args.kind !== 'dynamic-import') return undefined;
              const to = follow(await resolveImport(args.path, args.importer || file), args.path, needs);
              if (to.unit === undefined && to.external === undefined) return { path: args.path, external: true };
              if (to.unit) imports.add(to.unit);
              if (to.external) externals.add(to.external);
              return { path: to.specifier, external: true };
            });
          },
        },
      ],
    });
    const code = result.outputFiles.find((output) => output.path.endsWith('.mjs'))?.text ?? '';
    const map = result.outputFiles.find((output) => output.path.endsWith('.map'))?.text;
    const entry = Object.values(result.metafile.outputs).find((output) => output.entryPoint)?.entryPoint;
    const format = entry === undefined ? undefined : result.metafile.inputs[entry]?.format;
    const text = format === 'esm' || file.endsWith('.mjs') ? code : withNames(code, file);
    return makeUnit({ name: unit, text, imports: [...imports], externals: [...externals], file, maps: map ? [new TraceMap(map)] : [] });
  } catch {
    const text = `export * from ${JSON.stringify(name)};\nimport * as all from ${JSON.stringify(name)};\nexport default all.default;\n`;
    return makeUnit({ name: unit, text, imports: [], externals: [name], file, maps: [] });
  }
}

// Adds the names that a CommonJS module exports. Bundled as ESM it has only a default, so the names are those of the copy that this
// process has loaded.
function withNames(code: string, file: string): string {
  const exported: unknown = createRequire(dirname(file) + '/')(file);
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return code;
  const names = Object.keys(exported).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key) && !RESERVED.has(key));
  if (names.length === 0) return code;
  const renamed = code.replace(/export default ([^;]+);\s*$/m, 'const __flotilla_cjs = $1;\nexport default __flotilla_cjs;');
  if (renamed === code) return code;
  const declared = names.map((key) => `const __flotilla_${key} = __flotilla_cjs.${key};`).join(' ');
  return `${renamed}\n${declared}\nexport { ${names.map((key) => `__flotilla_${key} as ${key}`).join(', ')} };\n`;
}

const RESERVED = new Set(['default', 'arguments', 'eval', 'await', '__esModule']);
