// Arrays of numbers, and other views of bytes, by the names of their types.
import { malformed } from './malformed.ts';
import type { BYTE_TYPES } from './tags.ts';

/** A view of bytes by the name of its type. Throws ERR_WIRE_MALFORMED if they do not fit it. */
export function viewOf(name: (typeof BYTE_TYPES)[number], store: ArrayBufferLike, offset: number, bytes: number): unknown {
  if (name === 'ArrayBuffer') return store;
  if (name === 'Buffer') return Buffer.from(store, offset, bytes);
  const View: ViewConstructor = VIEWS[name];
  const each = View.BYTES_PER_ELEMENT ?? 1;
  if (bytes % each !== 0) throw malformed(`${bytes} bytes are no ${name}`);
  return new View(store, offset, bytes / each);
}

interface ViewConstructor {
  readonly BYTES_PER_ELEMENT?: number;
  new (store: ArrayBufferLike, offset: number, length: number): ArrayBufferView;
}

const VIEWS = {
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;
