// The first byte of each encoded value. docs/protocol.md describes what follows it.

export const TAG = {
  INT_LAST: 0x3f, // 0x00-0x3f: 0 to 63
  SHAPE: 0x40, // 0x40-0x5f: object of shape 0 to 31 of this frame
  NEGATIVE: 0x60, // 0x60-0x7f: -32 to -1
  TEXT: 0x80, // 0x80-0x9f: ASCII string of 0 to 31 bytes
  LIST: 0xa0, // 0xa0-0xaf: array of 0 to 15
  NULL: 0xc0,
  UNDEFINED: 0xc1,
  FALSE: 0xc2,
  TRUE: 0xc3,
  FLOAT64: 0xc4,
  UINT8: 0xc5,
  UINT16: 0xc6,
  UINT32: 0xc7,
  INT32: 0xc8,
  BIGINT: 0xc9,
  ASCII: 0xca,
  UTF8: 0xcb,
  UTF16: 0xcc,
  ARRAY: 0xcd,
  NEW_SHAPE: 0xce,
  SHAPE_AT: 0xcf,
  MAP: 0xd0,
  SET: 0xd1,
  DATE: 0xd2,
  REGEXP: 0xd3,
  BYTES: 0xd4,
  ERROR: 0xd5,
  HOLE: 0xd6,
  GRAPH: 0xd7,
  BACK: 0xd8,
  EXTENSION: 0xd9,
  OBJECT: 0xda,
  URL: 0xdb,
} as const;

/** The array types that keep their type, by the number that stands for each. */
export const BYTE_TYPES = [
  'Buffer',
  'ArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

/** The number that stands for each. */
export const BYTE_TYPE_NUMBERS: ReadonlyMap<string, number> = new Map(BYTE_TYPES.map((name, number) => [name, number]));
