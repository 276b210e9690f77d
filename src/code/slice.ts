// A piece of a file as a unit: one top-level statement, or one expression, with the names it uses imported from other units.
//
// The program's own file cannot travel whole: each worker would run the program again. So a function takes along only the statements
// whose names it uses, and these take theirs. Each is a unit of its own, so that functions which share one have it once on a worker.
//
//   SL1. Lines and columns stay those of the file, so that stacks fit: all other text is blanked out, and additions come after the piece.
//   SL2. Of the program's own file only statements that do nothing when they run are shipped: functions, classes, pure constants.
import { originalPositionFor, type TraceMap } from '@jridgewell/trace-mapping';
import type { Program } from 'acorn';
import { FlotillaError } from '../base/index.ts';
import { transform } from './esbuild.ts';
import { applyEdits, computedImports, follow, IMPORT, importSources, type Needs, TOP_PREFIX, unitSpecifier } from './module.ts';
import { type Declared, type ImportBinding, isPure, type Outline } from './outline.ts';
import { resolveImport } from './resolve.ts';
import { declaredNames, lineOf, nameOf, type Syntax, usesOf } from './syntax.ts';
import { inlineMap, makeUnit, type Unit, unitName } from './unit.ts';

/** A file that pieces are taken from. */
export interface Sliced {
  readonly file: string;
  readonly source: string;
  readonly root: Program;
  readonly outline: Outline;
  /** Whether the whole module may not be shipped: it is the program itself, or CommonJS. */
  readonly alone: boolean;
}

/** The library, as a slicer sees it. */
export interface SliceNeeds extends Needs {
  statement(from: Sliced, statement: Syntax): string;
}

/** The line of the user's own file that an offset is in. */
export function userLine(from: Sliced, offset: number): string {
  const line = lineOf(from.source, offset);
  const map = inlineMap(from.source);
  if (!map) return `${from.file}:${line}`;
  const column = offset - (from.source.lastIndexOf('\n', offset - 1) + 1);
  return `${from.file}:${mappedLine(map, line, column) ?? line}`;
}

/** Builds the unit of one top-level statement; it exports the names that the statement declares. */
export async function buildStatement(from: Sliced, statement: Syntax, needs: SliceNeeds): Promise<Unit> {
  const declaration = ('declaration' in statement && statement.declaration) || statement;
  const names = declaredNames(declaration);
  const text = blank(from.source, declaration.start, declaration.end);
  return finish(
    from,
    unitName('piece', from.file, String(statement.start)),
    text,
    declaration,
    `export { ${names.join(', ')} };`,
    new Set(names),
    needs,
  );
}

/** Builds the unit of one function expression; the unit exports it as `fn`. */
export async function buildExpression(from: Sliced, node: Syntax, parent: Syntax | undefined, needs: SliceNeeds): Promise<Unit> {
  const method = parent?.type === 'Property' && (parent.method || parent.kind !== 'init') ? parent : undefined;
  const whole = method ?? node;
  const wrapped = blank(from.source, whole.start, whole.end, method ? ['({', '})'] : ['(', ')']);
  const pick = method ? pickOf(method.key) : '';
  const prefix = 'export const fn = ';
  const text = `${prepend(wrapped, prefix, whole.start)}${pick};`;
  return finish(from, unitName('piece', from.file, `${whole.start}x`), text, whole, '', new Set(), needs);
}

async function finish(
  from: Sliced,
  name: string,
  text: string,
  piece: Syntax,
  tail: string,
  own: ReadonlySet<string>,
  needs: SliceNeeds,
): Promise<Unit> {
  const imports = new Set<string>();
  const externals = new Set<string>();
  const lines: string[] = [];
  for (const [used, at] of usesOf(piece).names) {
    if (own.has(used)) continue;
    const binding = from.outline.bindings.get(used);
    if (!binding) {
      if (used === 'require')
        lines.push(
          "import { createRequire as __flotilla_require } from 'node:module'; const require = __flotilla_require(import.meta.url);",
        );
    } else if (binding.kind === 'import') {
      const to = follow(await resolveImport(binding.specifier, from.file), binding.specifier, needs);
      if (to.unit) imports.add(to.unit);
      if (to.external) externals.add(to.external);
      lines.push(importLine(binding, used, to.specifier));
    } else if (from.alone) {
      checkShippable(from, used, binding, at);
      const unit = needs.statement(from, binding.statement);
      imports.add(unit);
      lines.push(`import { ${used} } from '${unitSpecifier(unit)}';`);
    } else {
      const unit = needs.module(from.file);
      imports.add(unit);
      lines.push(`import { ${TOP_PREFIX}${used} as ${used} } from '${unitSpecifier(unit)}';`);
    }
  }
  const edits: { start: number; end: number; text: string }[] = computedImports(piece).map((at) => ({ ...at, text: `${IMPORT}(` }));
  for (const source of importSources(piece)) {
    const found = await resolveImport(source.specifier, from.file).catch(() => undefined);
    if (!found) continue; // the worker may have it, or the code may expect its absence
    const to = follow(found, source.specifier, needs);
    if (!to.unit) continue;
    imports.add(to.unit);
    edits.push({ start: source.start, end: source.end, text: JSON.stringify(to.specifier) });
    if (source.attributes) edits.push({ ...source.attributes, text: '' });
  }
  // Text that was put before the piece may have moved it, and the places of all edits with it.
  const moved = text.indexOf(from.source.slice(piece.start, piece.end)) - piece.start;
  const linked = applyEdits(
    text,
    edits.map((edit) => ({ ...edit, start: edit.start + moved, end: edit.end + moved })),
  );
  const map = inlineMap(from.source);
  let shipped = `${linked}\n${[tail, ...lines].join('\n')}\n`;
  const maps = map ? [map] : [];
  if (/\busing\b/.test(text)) {
    const lowered = await transform(shipped, from.file, 'js');
    shipped = lowered.text;
    maps.unshift(lowered.map);
  }
  return makeUnit({ name, text: shipped, imports: [...imports], externals: [...externals], file: from.file, maps });
}

// Refuses a name whose value a worker could not make again: a variable that changes, or one that running code has made. SL2
function checkShippable(from: Sliced, name: string, binding: Declared, at: number): void {
  if (binding.kind !== 'variable') return;
  const used = `'${name}', which the function uses at ${userLine(from, at)},`;
  if (from.outline.assigned.has(name)) {
    throw new FlotillaError(
      'ERR_CODE_SIDE_EFFECT',
      `${used} is a variable that changes. Workers have no part in the state of the program's own file: move '${name}' to a module of its own (each worker then has one), or pass its value as an argument.`,
    );
  }
  if (isPure(binding.declarator?.init, from.source)) return;
  throw new FlotillaError(
    'ERR_CODE_SIDE_EFFECT',
    `${used} is made by running code (${userLine(from, binding.statement.start)}), which is not run again on workers. Move it, with what makes it, to a module of its own and import that; or pass its value as an argument.`,
  );
}

// The text that reads a method of its object; a key that is no name goes into brackets.
function pickOf(key: Syntax): string {
  return key.type === 'Literal' ? `[${JSON.stringify(nameOf(key))}]` : `.${nameOf(key)}`;
}

function importLine(binding: ImportBinding, local: string, specifier: string): string {
  const from = `from ${JSON.stringify(specifier)};`;
  if (binding.name === '*') return `import * as ${local} ${from}`;
  if (binding.name === 'default') return `import ${local} ${from}`;
  return `import { ${binding.name} as ${local} } ${from}`;
}

// SL1: everything outside [start, end) becomes spaces, line breaks stay.
function blank(source: string, start: number, end: number, around: readonly [string, string] = ['', '']): string {
  const spaces = (text: string): string => text.replace(/[^\n\r\u2028\u2029]/g, ' ');
  let before = spaces(source.slice(0, start));
  if (around[0])
    before = before.endsWith(' '.repeat(around[0].length)) ? before.slice(0, -around[0].length) + around[0] : before + around[0];
  return before + source.slice(start, end) + around[1];
}

// Puts text where there are spaces, on the line of the piece or one before it, so that no column moves.
function prepend(text: string, prefix: string, start: number): string {
  const room = ' '.repeat(prefix.length);
  const at = text.slice(0, Math.max(0, start - 2)).lastIndexOf(room);
  return at >= 0 ? text.slice(0, at) + prefix + text.slice(at + prefix.length) : prefix + text;
}

function mappedLine(map: TraceMap, line: number, column: number): number | undefined {
  return originalPositionFor(map, { line, column }).line ?? undefined;
}
