// The reason why a value cannot travel, and the path to the culprit in it, which is sought only after a refusal.
import { FlotillaError } from '../base/index.ts';

/** Thrown inside the encoder's walk; carries what was refused. */
export class Refusal {
  readonly culprit: unknown;
  readonly reason: string;
  readonly limit: boolean;
  constructor(culprit: unknown, reason: string, limit = false) {
    this.culprit = culprit;
    this.reason = reason;
    this.limit = limit;
  }
}

/** The error for a refusal: names the path from `name` to the culprit. */
export function refusalError(refusal: Refusal, root: unknown, name: string): FlotillaError {
  const path = findPath(root, refusal.culprit, name) ?? name;
  const code = refusal.limit ? 'ERR_WIRE_LIMIT' : 'ERR_WIRE_CANNOT_TRAVEL';
  return new FlotillaError(code, `${shown(path)} cannot be sent: ${refusal.reason}`, { details: { path } });
}

// The path to a value that is too deep is longer than anybody reads.
const MOST_SHOWN = 300;
const shown = (path: string): string =>
  path.length <= MOST_SHOWN ? path : `${path.slice(0, MOST_SHOWN / 2)} ... ${path.slice(-MOST_SHOWN / 2)}`;

/** Finds why objects cannot travel, once for all that have a prototype in common. */
export class Refusals {
  readonly #known = new WeakMap<object, string>();

  /** Throws a refusal of an object of no known kind, unless its own properties say all. */
  check(value: object): void {
    const kind: object | null = Object.getPrototypeOf(value);
    if (!kind) return;
    let reason = this.#known.get(kind);
    if (reason === undefined) {
      reason = hidden(value, kind) ?? '';
      this.#known.set(kind, reason);
    }
    if (reason) throw new Refusal(value, reason);
  }

  /** Does the same for an object without properties of its own, whose constructor may be that of plain objects. */
  checkEmpty(value: object): void {
    if (Object.getPrototypeOf(value) !== Object.prototype) {
      this.check(value);
      if ('next' in value && typeof value.next === 'function') throw new Refusal(value, ITERATOR);
    } else if (Symbol.iterator in value || Symbol.asyncIterator in value)
      throw new Refusal(value, 'it is an iterable of its own making. Send the values: [...values].');
  }
}

const ITERATOR = 'it is an iterator, whose values are where it was made. Send the values: [...values].';

// Says what an object is beyond its own properties, if it is anything.
function hidden(value: object, kind: object): string | undefined {
  for (const type of [Number, String, Boolean, Symbol, BigInt]) if (value instanceof type) return `it is a ${type.name} object.`;
  if (value instanceof SharedArrayBuffer) return 'it is a SharedArrayBuffer, which only threads of one process can share. Send a copy.';
  if (value instanceof Promise) return 'it is a Promise. Await it, and send what it gives.';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Generator' || tag === 'AsyncGenerator')
    return `it is ${tag === 'Generator' ? 'a' : 'an async'} generator, which goes on where it was made only. Give the generator function itself to run(): its values come as they are made.`;
  if (/^Iterator | Iterator$/.test(tag)) return ITERATOR;
  const own: unknown = kind.constructor;
  for (let at: object | null = kind; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const made: unknown = Object.hasOwn(at, 'constructor') ? at.constructor : undefined;
    if (typeof made !== 'function') continue;
    const source = Function.prototype.toString.call(made);
    if (isOfPlatform(made, source)) return `it is ${withArticle(made.name || 'native object')}, which lives in this process only.`;
    if (/(^|[^\w$'"`])#[\p{ID_Start}_$]/u.test(source))
      return `it is ${withArticle((typeof own === 'function' ? own : made).name)}, which has private state ('#' fields). Send plain data that it can be made from again.`;
  }
  return undefined;
}

// Whether an object is made by the engine, or by a class that is there in every program.
function isOfPlatform(made: { readonly name: string }, source: string): boolean {
  if (/\[native code\]/.test(source)) return true;
  const there = Object.getOwnPropertyDescriptor(globalThis, made.name);
  return there !== undefined && !there.enumerable && (there.get ? there.get.call(globalThis) : there.value) === made;
}

function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

const MOST_VISITED = 100_000;

function findPath(root: unknown, culprit: unknown, name: string): string | undefined {
  const seen = new Set<object>();
  const queue: { value: unknown; path: string }[] = [{ value: root, path: name }];
  let visited = 0;
  for (const { value, path } of queue) {
    if (visited++ >= MOST_VISITED) break;
    if (Object.is(value, culprit)) return path;
    if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    for (const [step, child] of childrenOf(value)) queue.push({ value: child, path: path + step });
  }
  return undefined;
}

function* childrenOf(value: object): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield [`[${i}]`, value[i]];
  } else if (value instanceof Map) {
    let i = 0;
    for (const [key, entry] of value) {
      yield [`.keys()[${i++}]`, key];
      yield [`.get(${formatKey(key)})`, entry];
    }
  } else if (value instanceof Set) {
    let i = 0;
    for (const entry of value) yield [`.values()[${i++}]`, entry];
  } else {
    for (const key of Object.keys(value)) {
      yield [/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, Reflect.get(value, key)];
    }
    if (value instanceof Error && value.cause !== undefined) yield ['.cause', value.cause];
  }
}

function formatKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? '{...}' : String(key);
}
