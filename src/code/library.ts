// All the code that one client ships: functions become units, each module one unit, however many functions need it.
//
// Owns the units. Does not know which hosts have them (the cluster's business).
//
//   LI1. A module, and each piece of the program's own file, is one unit: one state and one identity of classes per worker.
//   LI2. The program's own file is never shipped whole: that would run the program again.
//   LI3. A function is looked up once; asking again is free.
import { realpathSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClassDeclaration, FunctionDeclaration, Program } from 'acorn';
import { FlotillaError } from '../base/index.ts';
import { FunctionFinder, type SourcePlace } from './find.ts';
import { buildModule, TOP_PREFIX } from './module.ts';
import { outline, withoutLowering } from './outline.ts';
import { buildPackage } from './package.ts';
import { buildExpression, buildStatement, type Sliced, type SliceNeeds, userLine } from './slice.ts';
import { mapStack } from './stacks.ts';
import { isFunction, nameOf, parseModule, pathToFunction, type Syntax, scopeNames, usesOf } from './syntax.ts';
import { type Shipped, type Unit, unitName } from './unit.ts';

type AnyFunction = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/** The code that one client ships. */
export class Library implements SliceNeeds {
  readonly #finder = new FunctionFinder();
  readonly #main: string | undefined;
  readonly #units = new Map<string, Unit>();
  readonly #building = new Map<string, Promise<Unit>>();
  readonly #shipped = new WeakMap<AnyFunction, Promise<Shipped>>();
  readonly #stands = new WeakMap<AnyFunction, { readonly name: string } & ({ readonly file: string } | { readonly package: string })>();
  readonly #sliced = new Map<string, Sliced>();
  readonly #places = new WeakMap<AnyFunction, SourcePlace>();
  readonly #firsts = new Map<SourcePlace['script'], Map<number, AnyFunction>>();

  constructor(main: string | undefined = process.argv[1]) {
    this.#main = main === undefined ? undefined : realFile(main);
  }

  /** The unit that a function is in, built with all that it imports. Rejects with ERR_CODE_*. LI3 */
  ship(fn: AnyFunction): Promise<Shipped> {
    let shipped = this.#shipped.get(fn);
    if (!shipped) {
      shipped = this.#ship(fn);
      this.#shipped.set(fn, shipped);
    }
    return shipped;
  }

  /**
   * The first function that was seen at the place where this one is written: its code is the same, so it need not travel again. Programs
   * make functions anew for every call; each of these costs one look-up. A function that cannot be found stands for itself.
   */
  firstAt(fn: AnyFunction): AnyFunction {
    if (this.#stands.has(fn)) return fn;
    let place: SourcePlace;
    try {
      place = this.#placeOf(fn);
    } catch {
      return fn; // shipping it fails, and says why
    }
    let there = this.#firsts.get(place.script);
    if (!there) {
      there = new Map();
      this.#firsts.set(place.script, there);
    }
    const first = there.get(place.offset);
    if (!first) there.set(place.offset, fn);
    return first ?? fn;
  }

  /** Lets a function stand for an export of a module, which is not loaded here: by URL, or of a package installed on the hosts. */
  standFor(fn: AnyFunction, module: string, name: string): void {
    if (module.startsWith('file:')) this.#stands.set(fn, { file: realFile(fileURLToPath(module)), name });
    else this.#stands.set(fn, { package: module, name });
  }

  /** A module as a unit, without a function of it. Rejects with ERR_CODE_*. */
  async shipModule(url: string): Promise<string> {
    const unit = this.module(realFile(fileURLToPath(url)));
    await this.#settle(unit);
    return unit;
  }

  /** The modules that this process has evaluated to have a function of a unit, by unit; none for a function that stands for an export. */
  evaluated(fn: AnyFunction, name: string): { unit: string; file: string }[] {
    const found = new Map<string, string>();
    const seen = new Set<string>();
    const visit = (unit: string): void => {
      const made = this.#units.get(unit);
      if (!made || seen.has(unit)) return;
      seen.add(unit);
      if (unit.startsWith('m')) found.set(unit, made.file);
      // The imports of a piece are those of the file around it.
      for (const imported of made.evaluates ?? (unit.startsWith('p') ? made.imports : [])) visit(imported);
    };
    if (!this.#stands.has(fn)) visit(name);
    return [...found].map(([unit, file]) => ({ unit, file }));
  }

  /** A unit and all that it imports. */
  closure(name: string): Unit[] {
    const found = new Map<string, Unit>();
    const visit = (unit: string): void => {
      const made = this.#units.get(unit);
      if (!made || found.has(unit)) return;
      found.set(unit, made);
      for (const imported of made.imports) visit(imported);
    };
    visit(name);
    return [...found.values()];
  }

  unit(name: string): Unit | undefined {
    return this.#units.get(name);
  }

  /** Text with the places in shipped code replaced by those in the user's files. */
  mapStack(text: string): string {
    return mapStack(text, (name) => this.#units.get(name));
  }

  module(file: string): string {
    if (file === this.#main) {
      // LI1, LI2
      throw new FlotillaError(
        'ERR_CODE_SIDE_EFFECT',
        `A shipped module imports ${file}, which is the program itself and would run again on every worker. Move what both need to a module of its own.`,
      );
    }
    return this.#build(unitName('module', file), () => buildModule(file, this));
  }

  package(file: string, name: string): string {
    return this.#build(unitName('package', file), () => buildPackage(file, name, this));
  }

  statement(from: Sliced, statement: Syntax): string {
    return this.#build(unitName('piece', from.file, String(statement.start)), () => buildStatement(from, statement, this));
  }

  #build(name: string, make: () => Promise<Unit>): string {
    if (this.#units.has(name) || this.#building.has(name)) return name;
    const building = make().then((unit) => {
      this.#units.set(name, unit);
      return unit;
    });
    building.catch(() => {});
    this.#building.set(name, building);
    return name;
  }

  // Waits for a unit and for all that it turns out to import.
  async #settle(name: string, seen = new Set<string>()): Promise<void> {
    if (seen.has(name)) return;
    seen.add(name);
    const building = this.#building.get(name);
    if (!building) return;
    try {
      const unit = await building;
      await Promise.all(unit.imports.map((imported) => this.#settle(imported, seen)));
    } catch (error) {
      this.#building.delete(name); // a mended file may be shipped again
      throw error;
    }
  }

  async #ship(fn: AnyFunction): Promise<Shipped> {
    try {
      const stand = this.#stands.get(fn);
      if (stand && 'package' in stand) return { label: stand.name, unit: '', name: stand.name, path: [], package: stand.package };
      const shipped = stand
        ? { label: stand.name, unit: this.module(stand.file), name: stand.name, path: [] }
        : this.#place(fn, this.#placeOf(fn));
      await this.#settle(shipped.unit);
      return shipped;
    } catch (error) {
      this.#shipped.delete(fn);
      throw error;
    }
  }

  #placeOf(fn: AnyFunction): SourcePlace {
    let place = this.#places.get(fn);
    if (!place) {
      place = this.#finder.find(fn);
      this.#places.set(fn, place);
    }
    return place;
  }

  #place(fn: AnyFunction, place: SourcePlace): Shipped {
    const from = this.#slice(place);
    const path = withoutLowering(pathToFunction(from.root, place.offset));
    const node = path.at(-1);
    const label = fn.name || `anonymous at ${basename(userLine(from, node?.start ?? place.offset))}`;
    if (!node)
      throw new FlotillaError('ERR_CODE_NOT_FOUND', `'${label}' is not found in ${from.file}: has the file changed since it was loaded?`);
    checkCaptures(from, path, node, label);
    const [, statement] = path;
    const top = topName(path);
    if (top && statement) {
      if (!from.alone) return { label, unit: this.module(from.file), name: TOP_PREFIX + top.name, path: top.path };
      return { label, unit: this.statement(from, statement), name: top.name, path: top.path };
    }
    const parent = path.at(-2);
    if (parent?.type === 'MethodDefinition') throw methodError(label);
    const key = parent?.type === 'Property' && parent.method ? `${parent.start}x` : `${node.start}x`;
    const unit = this.#build(unitName('piece', from.file, key), () => buildExpression(from, node, parent, this));
    return { label, unit, name: 'fn', path: [] };
  }

  // Only pieces are shipped of a file that stands `alone`: the program's own, which would run again, and CommonJS, which is no module.
  #slice(place: SourcePlace): Sliced {
    const { url, source } = place.script;
    const known = this.#sliced.get(url);
    if (known) return known;
    const file = realFile(fileURLToPath(url.replace(/[?#].*$/, '')));
    const root = parseModule(source, file);
    const alone = file === this.#main || root.sourceType === 'script' || isCommonJs(file, root);
    const sliced: Sliced = { file, source, root, outline: outline(root), alone };
    this.#sliced.set(url, sliced);
    return sliced;
  }
}

function realFile(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isCommonJs(file: string, root: Program): boolean {
  if (['.cjs', '.cts'].includes(extname(file))) return true;
  const modular = root.body.some((s) => s.type.startsWith('Import') || s.type.startsWith('Export'));
  return !modular && extname(file) === '.js' && usesOf(root).names.has('module');
}

// The top-level name by which a function can be reached, and the properties that lead from it to the function.
function topName(path: readonly Syntax[]): { name: string; path: string[] } | undefined {
  const start = path[1]?.type.startsWith('Export') ? 2 : 1;
  const [first, second, ...rest] = path.slice(start);
  if (!first) return undefined;
  if (isNamed(first) && second === undefined) return { name: first.id.name, path: [] };
  if (first.type === 'ClassDeclaration' && isNamed(first)) {
    const { name } = first.id;
    const method = rest[0];
    // Engines tell the place of a class as that of its constructor.
    if (method?.type === 'MethodDefinition' && method.kind === 'constructor') return { name, path: [] };
    if (second?.type !== 'ClassBody' || method?.type !== 'MethodDefinition' || rest.length !== 2) return undefined;
    if (!method.static || method.kind !== 'method' || method.computed) throw methodError(`${name}.${nameOf(method.key)}`);
    return { name, path: [nameOf(method.key)] };
  }
  if (first.type !== 'VariableDeclaration' || second?.type !== 'VariableDeclarator' || second.id.type !== 'Identifier') return undefined;
  const keys: string[] = [];
  let holder = unnamed(rest);
  while (holder?.type === 'ObjectExpression') {
    const property = rest.shift();
    if (property?.type !== 'Property' || property.computed || property.kind !== 'init') return undefined;
    keys.push(nameOf(property.key));
    holder = unnamed(rest);
  }
  return holder && isFunction(holder) && rest.length === 0 ? { name: second.id.name, path: keys } : undefined;
}

// The next node of a path, past the wrapper by which compilers keep a function's name.
function unnamed(rest: Syntax[]): Syntax | undefined {
  const next = rest.shift();
  return next?.type === 'CallExpression' && next.callee.type === 'Identifier' && next.callee.name === '__name' ? rest.shift() : next;
}

function isNamed(node: Syntax): node is FunctionDeclaration | ClassDeclaration {
  return (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id !== null;
}

function checkCaptures(from: Sliced, path: readonly Syntax[], node: Syntax, label: string): void {
  const uses = usesOf(node);
  const around = path.slice(1, -1);
  for (const [name, at] of uses.names) {
    const owner = around.find((outer) => scopeNames(outer).includes(name) && !(outer.type === 'ClassDeclaration' && outer === path[1]));
    if (!owner) continue;
    if (around.indexOf(owner) === 0 && owner === path[1] && owner.type !== 'FunctionDeclaration' && from.outline.bindings.has(name))
      continue;
    throw new FlotillaError(
      'ERR_CODE_CAPTURES',
      `'${label}' uses '${name}' (${userLine(from, at)}), a variable of the function around it, which stays in this process. Pass it as an argument: run(fn, ${name}), or map(fn, items, { args: [${name}] }).`,
    );
  }
  if (uses.receiver !== undefined && !path.some((outer) => outer.type === 'ClassBody')) {
    throw new FlotillaError(
      'ERR_CODE_CAPTURES',
      `'${label}' uses 'this' (${userLine(from, uses.receiver)}), which stays in this process. Pass what it needs as an argument.`,
    );
  }
}

function methodError(name: string): FlotillaError {
  return new FlotillaError(
    'ERR_CODE_CAPTURES',
    `'${name}' is a method of instances and cannot be shipped by itself. Write a function that takes the instance's data, or a static method.`,
  );
}
