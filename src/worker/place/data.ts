// Keeps the value that a host's set-up returned in the client's folder, for all workers there. Large buffers are files of their own, so
// that workers can share them as memory instead of each having a copy.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeValue, type Extensions, encodeValue } from '../../wire/index.ts';
import { FileMaps } from './mapped.ts';

const LARGE_BYTES = 64 << 10;
const FOLDER = '.data';
const MARK = '\u0000flotilla.buffer';
const KINDS = {
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

function isKind(name: string): name is keyof typeof KINDS {
  return Object.hasOwn(KINDS, name);
}

/** Keeps a value for the workers of a client. Throws ERR_WIRE_CANNOT_TRAVEL. */
export function keepData(folder: string, value: unknown, extensions: Extensions): void {
  const place = join(folder, FOLDER);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  let next = 0;
  const apart = replaceLarge(value, (bytes, kind) => {
    const name = String(next++);
    writeFileSync(join(place, name), bytes, { mode: 0o600 });
    return { [MARK]: name, kind };
  });
  writeFileSync(join(place, 'value'), encodeValue(apart, 'data', extensions), { mode: 0o600 });
}

/** Loads the value that was kept; undefined if none was. */
export function loadData(folder: string, extensions: Extensions): unknown {
  const path = join(folder, FOLDER, 'value');
  if (!existsSync(path)) return undefined;
  const maps = new FileMaps();
  return restoreLarge(decodeValue(readFileSync(path), extensions), (name, kind) => {
    const bytes = maps.read(join(folder, FOLDER, name));
    if (!isKind(kind)) return Buffer.from(bytes);
    const Made = KINDS[kind];
    return new Made(bytes, 0, bytes.byteLength / Made.BYTES_PER_ELEMENT);
  });
}

function replaceLarge(value: unknown, keep: (bytes: Uint8Array, kind: string) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    const kind = Buffer.isBuffer(value) ? 'Buffer' : value.constructor.name;
    if (value.byteLength < LARGE_BYTES || !(kind === 'Buffer' || isKind(kind))) return value;
    return keep(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), kind);
  }
  if (Array.isArray(value)) return value.map((item) => replaceLarge(item, keep));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, replaceLarge(item, keep)]));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceLarge(item, keep)]));
}

function restoreLarge(value: unknown, load: (name: string, kind: string) => unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map((item) => restoreLarge(item, load));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, restoreLarge(item, load)]));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  if (MARK in value && 'kind' in value) return load(String(value[MARK]), String(value.kind));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restoreLarge(item, load)]));
}
