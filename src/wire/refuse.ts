// Why a value cannot travel, and where in it the culprit is. Sought only after a refusal.
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
  return new FlotillaError(code, `${path} cannot be sent: ${refusal.reason}`, { details: { path } });
}

/** Why an object of no known kind cannot travel; undefined if its own properties say all. */
export function whyNot(value: object): string | undefined {
  for (const type of [Promise, WeakMap, WeakSet, WeakRef, Number, String, Boolean, Symbol, AbortSignal]) {
    if (value instanceof type) return `it is a ${type.name}.`;
  }
  if (value instanceof SharedArrayBuffer) return 'it is a SharedArrayBuffer, which only threads of one process can share. Send a copy.';
  const made = value.constructor;
  if (typeof made !== 'function') return undefined;
  const source = Function.prototype.toString.call(made);
  if (/\[native code\]/.test(source)) return `it is a ${made.name || 'native object'}, which lives in this process only.`;
  if (/(^|[^\w$'"`])#[\p{ID_Start}_$]/u.test(source)) {
    return `it is a ${made.name}, which has private state ('#' fields). Send plain data that it can be made from again.`;
  }
  return undefined;
}

const MOST_VISITED = 100_000;

function findPath(root: unknown, culprit: unknown, name: string): string | undefined {
  const seen = new Set<object>();
  const queue: { value: unknown; path: string }[] = [{ value: root, path: name }];
  for (let i = 0; i < queue.length && i < MOST_VISITED; i++) {
    const { value, path } = queue[i] as { value: unknown; path: string };
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
      yield [/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, (value as Record<string, unknown>)[key]];
    }
    if (value instanceof Error && value.cause !== undefined) yield ['.cause', value.cause];
  }
}

function formatKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? '{...}' : String(key);
}
