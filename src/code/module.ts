// A whole module as a unit: its imports lead to other units, and every name of its top level can be asked for.
import { FlotillaError } from '../base/index.ts';
import { readModule } from './esbuild.ts';
import { type Outline, outline } from './outline.ts';
import { packageName, type Resolved, resolveImport } from './resolve.ts';
import { childrenOf, parseModule, type Syntax } from './syntax.ts';
import { makeUnit, type Unit, unitName } from './unit.ts';

/** The prefix under which a module unit exports every name of its top level. */
export const TOP_PREFIX = '__flotilla_';

/** The library, as a builder of units sees it: it makes other units, too, and returns their names. */
export interface Needs {
  module(file: string): string;
  package(file: string, name: string): string;
}

/** The specifier by which one unit imports another. */
export function unitSpecifier(name: string): string {
  return `./${name}.mjs`;
}

/** Builds the unit of a user's module. */
export async function buildModule(file: string, needs: Needs): Promise<Unit> {
  const { text, map } = await readModule(file);
  const root = parseModule(text, file);
  const edits: { start: number; end: number; text: string }[] = [];
  const imports = new Set<string>();
  const externals = new Set<string>();
  const evaluates = new Set<string>();
  for (const source of importSources(root)) {
    const found = await resolveImport(source.specifier, file);
    const to = follow(found, source.specifier, needs);
    if (to.unit) imports.add(to.unit);
    if (to.unit && found.kind === 'file' && !source.dynamic) evaluates.add(to.unit);
    if (to.external) externals.add(to.external);
    edits.push({ start: source.start, end: source.end, text: JSON.stringify(to.specifier) });
    if (source.attributes) edits.push({ ...source.attributes, text: '' });
  }
  for (const { start, end } of computedImports(root)) edits.push({ start, end, text: `${IMPORT}(` });
  const rewritten = applyEdits(text.replace(/^#!/, '//'), edits);
  const tail = topExports(outline(root));
  return makeUnit({
    name: unitName('module', file),
    text: `${rewritten}\n${tail}`,
    imports: [...imports],
    evaluates: [...evaluates],
    externals: [...externals],
    file,
    maps: map ? [map] : [],
  });
}

/** The specifier of a resolved import in the shipped code, and the unit or the package that it needs. */
export function follow(found: Resolved, specifier: string, needs: Needs): { specifier: string; unit?: string; external?: string } {
  switch (found.kind) {
    case 'as-is':
      return { specifier };
    case 'file': {
      const unit = needs.module(found.file);
      return { specifier: unitSpecifier(unit), unit };
    }
    case 'package': {
      const unit = needs.package(found.file, found.name);
      return { specifier: unitSpecifier(unit), unit };
    }
    case 'absent':
      return { specifier, external: packageName(specifier) };
  }
}

interface Source {
  readonly specifier: string;
  readonly start: number;
  readonly end: number;
  readonly dynamic: boolean;
  readonly attributes: { start: number; end: number } | undefined;
}

/** The specifiers of a module's imports and re-exports, dynamic ones with a literal included. */
export function importSources(root: Syntax): Source[] {
  const found: Source[] = [];
  const visit = (node: Syntax): void => {
    const source = 'source' in node ? node.source : undefined;
    if (source?.type === 'Literal' && typeof source.value === 'string') {
      const dynamic = node.type === 'ImportExpression';
      const last = dynamic ? node.options : 'attributes' in node ? node.attributes.at(-1) : undefined;
      found.push({
        specifier: source.value,
        start: source.start,
        end: source.end,
        dynamic,
        attributes: last ? { start: source.end, end: dynamic ? last.end : endOfAttributes(node, last) } : undefined,
      });
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(root);
  return found;
}

/** The expression that shipped code calls instead of `import()` where the specifier is known only when it runs. */
export const IMPORT = "globalThis[Symbol.for('flotilla.import')]";

/** The places of `import(` whose argument is computed. */
export function computedImports(root: Syntax): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  const visit = (node: Syntax): void => {
    if (node.type === 'ImportExpression' && node.source.type !== 'Literal') found.push({ start: node.start, end: node.source.start });
    for (const child of childrenOf(node)) visit(child);
  };
  visit(root);
  return found;
}

function endOfAttributes(node: Syntax, last: Syntax): number {
  return Math.max(last.end, node.end - 1);
}

/** Replaces pieces of a text. */
export function applyEdits(text: string, edits: readonly { start: number; end: number; text: string }[]): string {
  let result = '';
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    if (edit.start < at) throw new FlotillaError('ERR_CODE_SYNTAX', 'Two edits of a module overlap.');
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

function topExports({ bindings }: Outline): string {
  const names = [...bindings].filter(([, binding]) => binding.kind !== 'import').map(([name]) => `${name} as ${TOP_PREFIX}${name}`);
  return names.length > 0 ? `export { ${names.join(', ')} };\n` : '';
}
