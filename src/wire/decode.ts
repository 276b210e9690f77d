// Bytes to values. Data only: no code is run, no class is looked up by name, no prototype is touched.
//
//   DE1. Whatever the bytes, decoding ends with a value or ERR_WIRE_MALFORMED / ERR_WIRE_LIMIT, in time and memory
//       in proportion to the bytes.
//   DE2. A key named __proto__ becomes an own property like any other.
//   DE3. A value that an extension does not take is read to its end all the same, so that the values after it can be read.
import { FlotillaError } from '../base/index.ts';
import { reviveError } from './errors.ts';
import { type Extensions, NO_EXTENSIONS } from './extension.ts';
import { LIMITS } from './limits.ts';
import { asWireError, malformed } from './malformed.ts';
import { BYTE_TYPES, TAG } from './tags.ts';
import { viewOf } from './views.ts';

interface Shape {
  readonly keys: readonly string[];
  readonly proto: boolean;
}

const SHAPES_KEPT = 2000;
const VIEW_FROM = 64 << 10;

/** Reads values one after another from the payload of a frame. */
export class Decoder {
  readonly #extensions: Extensions;
  #buffer: Buffer = Buffer.alloc(0);
  #position = 0;
  #end = 0;
  #origin = 0;
  #owned = false;
  #shapes: Shape[] = [];
  #known = new Map<string, Shape>();
  #graph: unknown[] | undefined;
  #inner: Decoder | undefined;
  #untaken: { readonly error: unknown } | undefined;
  #broken = false;

  constructor(extensions: Extensions = NO_EXTENSIONS) {
    this.#extensions = extensions;
  }

  /** Begins a payload. `owned` buffers belong to the values read from them: large arrays become views of them. */
  begin(buffer: Buffer, start: number, end: number, owned = false): void {
    this.#buffer = buffer;
    this.#position = start;
    this.#origin = start;
    this.#end = end;
    this.#owned = owned;
    this.#broken = false;
    if (this.#shapes.length > 0) this.#shapes = [];
  }

  get position(): number {
    return this.#position;
  }

  /** Whether bytes follow that can be read. */
  get more(): boolean {
    return this.#position < this.#end && !this.#broken;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.#break('a number is too long');
  }

  byte(): number {
    if (this.#position >= this.#end) throw this.#break('the bytes end in the middle of a value');
    return this.#buffer[this.#position++] as number;
  }

  /** Reads how many things follow, each of at least a byte. */
  count(): number {
    const count = this.varint();
    if (count > this.#end - this.#position) throw this.#break('it announces more than the bytes that follow');
    return count;
  }

  /** Reads a value of so many bytes that has a dictionary of its own. */
  nested(bytes: number): unknown {
    const start = this.#take(bytes);
    this.#inner ??= new Decoder(this.#extensions);
    const inner = this.#inner;
    inner.begin(this.#buffer, start, start + bytes, false);
    return inner.value();
  }

  /** Reads the next value. Throws ERR_WIRE_*; if only an extension did not take its part, the values after it can be read all the same. DE3 */
  value(): unknown {
    let value: unknown;
    try {
      value = this.#any(0);
    } catch (thrown) {
      this.#broken = true;
      this.#untaken = undefined;
      throw asWireError(thrown);
    } finally {
      this.#graph = undefined;
    }
    if (!this.#untaken) return value;
    const { error } = this.#untaken;
    this.#untaken = undefined;
    throw asWireError(error);
  }

  /** Reads the next value, which must be a number. Throws ERR_WIRE_*. */
  number(): number {
    const value = this.value();
    if (typeof value === 'number') return value;
    throw this.#break('a number was expected');
  }

  #break(what: string): FlotillaError {
    this.#broken = true;
    return malformed(what);
  }

  #revive(code: number, payload: unknown): unknown {
    if (this.#untaken) return undefined;
    try {
      return this.#extensions.revive(code, payload);
    } catch (error) {
      this.#untaken = { error };
      return undefined;
    }
  }

  #any(depth: number): unknown {
    const tag = this.byte();
    if (tag < 0x40) return tag;
    if (tag < 0x60) return this.#record(this.#shapeAt(tag - TAG.SHAPE), depth);
    if (tag < 0x80) return tag - 0x80;
    if (tag < 0xa0) return this.#ascii(tag - TAG.TEXT);
    if (tag < 0xb0) return this.#array(tag - TAG.LIST, depth);
    switch (tag) {
      case TAG.NULL:
        return null;
      case TAG.UNDEFINED:
        return undefined;
      case TAG.FALSE:
        return false;
      case TAG.TRUE:
        return true;
      case TAG.UINT8:
        return this.byte();
      case TAG.UINT16:
        return this.#buffer.readUInt16BE(this.#take(2));
      case TAG.UINT32:
        return this.#buffer.readUInt32BE(this.#take(4));
      case TAG.INT32:
        return this.#buffer.readInt32BE(this.#take(4));
      case TAG.FLOAT64:
        return this.#buffer.readDoubleBE(this.#take(8));
      case TAG.ASCII:
        return this.#ascii(this.varint());
      case TAG.UTF8:
        return this.#text('utf8');
      case TAG.UTF16:
        return this.#text('utf16le');
      case TAG.ARRAY:
        return this.#array(this.varint(), depth);
      case TAG.NEW_SHAPE:
        return this.#record(this.#newShape(), depth);
      case TAG.SHAPE_AT:
        return this.#record(this.#shapeAt(this.varint()), depth);
      case TAG.GRAPH:
        if (this.#graph) throw malformed('a graph inside a graph');
        this.#graph = [];
        return this.#any(depth);
      case TAG.BACK: {
        const index = this.varint();
        if (!this.#graph || index >= this.#graph.length) throw malformed('a reference to nothing');
        return this.#graph[index];
      }
      default:
        return this.#rare(tag, depth);
    }
  }

  #rare(tag: number, depth: number): unknown {
    this.#deeper(depth);
    switch (tag) {
      case TAG.BIGINT: {
        const negative = this.byte() === 1;
        const length = this.varint();
        const at = this.#take(length);
        const magnitude = length === 0 ? 0n : BigInt(`0x${this.#buffer.toString('hex', at, at + length)}`);
        return negative ? -magnitude : magnitude;
      }
      case TAG.OBJECT: {
        const count = this.#count(2);
        const object = this.#remember<Record<string, unknown>>({});
        for (let i = 0; i < count; i++) setOwn(object, this.#stringOf(depth), this.#any(depth + 1));
        return object;
      }
      case TAG.MAP: {
        const size = this.#count(2);
        const map = this.#remember(new Map<unknown, unknown>());
        for (let i = 0; i < size; i++) {
          const key = this.#any(depth + 1);
          map.set(key, this.#any(depth + 1));
        }
        return map;
      }
      case TAG.SET: {
        const size = this.#count(1);
        const set = this.#remember(new Set<unknown>());
        for (let i = 0; i < size; i++) set.add(this.#any(depth + 1));
        return set;
      }
      case TAG.DATE:
        return this.#remember(new Date(this.#numberOf(depth)));
      case TAG.REGEXP:
        return this.#remember(new RegExp(this.#stringOf(depth), this.#stringOf(depth)));
      case TAG.URL:
        return this.#remember(new URL(this.#stringOf(depth)));
      case TAG.BYTES:
        return this.#bytes();
      case TAG.ERROR:
        return this.#error(depth);
      case TAG.EXTENSION: {
        const slot = this.#reserve();
        const code = this.byte();
        return this.#fill(slot, this.#revive(code, this.#any(depth + 1)));
      }
      default:
        throw malformed(`0x${tag.toString(16)} begins no value`);
    }
  }

  #take(bytes: number): number {
    const at = this.#position;
    if (bytes > this.#end - at) throw this.#break('the bytes end in the middle of a value');
    this.#position = at + bytes;
    return at;
  }

  // DE1: a count is believed only as far as the bytes that are left could hold it.
  #count(leastBytes: number): number {
    const count = this.varint();
    if (count > LIMITS.elements)
      throw new FlotillaError('ERR_WIRE_LIMIT', `A value has ${count} elements; at most ${LIMITS.elements} are accepted.`);
    if (count * leastBytes > this.#end - this.#position) throw malformed('a count is larger than the bytes that follow');
    return count;
  }

  #deeper(depth: number): void {
    if (depth > LIMITS.depth + 2) throw new FlotillaError('ERR_WIRE_LIMIT', `A value is nested more than ${LIMITS.depth} levels deep.`);
  }

  #numberOf(depth: number): number {
    const value = this.#any(depth + 1);
    if (typeof value !== 'number') throw malformed('a number was expected');
    return value;
  }

  #stringOf(depth: number): string {
    const value = this.#any(depth + 1);
    if (typeof value !== 'string') throw malformed('a string was expected');
    return value;
  }

  #ascii(length: number): string {
    const at = this.#take(length);
    const b = this.#buffer;
    if (length < 9) {
      let text = '';
      for (let i = 0; i < length; i++) text += String.fromCharCode(b[at + i] as number);
      return text;
    }
    return b.toString('latin1', at, at + length);
  }

  #text(encoding: 'utf8' | 'utf16le'): string {
    const length = this.varint();
    const at = this.#take(length);
    return this.#buffer.toString(encoding, at, at + length);
  }

  #array(length: number, depth: number): unknown[] {
    this.#deeper(depth);
    if (length > LIMITS.elements)
      throw new FlotillaError('ERR_WIRE_LIMIT', `An array has ${length} elements; at most ${LIMITS.elements} are accepted.`);
    if (length > this.#end - this.#position) throw malformed('a count is larger than the bytes that follow');
    const array = this.#remember<unknown[]>([]);
    for (let i = 0; i < length; i++) {
      if (this.#buffer[this.#position] === TAG.HOLE) {
        this.#position++;
        array.length = i + 1;
      } else array.push(this.#any(depth + 1));
    }
    return array;
  }

  #newShape(): Shape {
    const length = this.varint();
    const at = this.#take(length);
    if (this.#shapes.length >= LIMITS.shapes) throw malformed('too many shapes in a frame');
    const name = this.#buffer.toString('latin1', at, at + length);
    let shape = this.#known.get(name);
    if (!shape) {
      const after = this.#position;
      this.#position = at;
      const count = this.#count(1);
      const keys: string[] = [];
      for (let i = 0; i < count; i++) keys.push(this.#stringOf(0));
      if (this.#position !== after || count > LIMITS.shapeKeys) throw malformed('a shape is not what its length says');
      shape = { keys, proto: keys.includes('__proto__') };
      if (this.#known.size >= SHAPES_KEPT) this.#known.clear();
      this.#known.set(name, shape);
    }
    this.#shapes.push(shape);
    return shape;
  }

  #shapeAt(index: number): Shape {
    const shape = this.#shapes[index];
    if (!shape) throw malformed('a shape that was not defined');
    return shape;
  }

  #record(shape: Shape, depth: number): Record<string, unknown> {
    this.#deeper(depth);
    const keys = shape.keys;
    const object: Record<string, unknown> = {};
    if (this.#graph) this.#graph.push(object);
    if (shape.proto) for (const key of keys) setOwn(object, key, this.#any(depth + 1));
    else for (let i = 0; i < keys.length; i++) object[keys[i] as string] = this.#any(depth + 1);
    return object;
  }

  #bytes(): unknown {
    const name = BYTE_TYPES[this.byte()];
    if (!name) throw malformed('an unknown type of bytes');
    const length = this.varint();
    this.#take(this.byte());
    const at = this.#take(length);
    const buffer = this.#buffer;
    const offset = buffer.byteOffset + at;
    const view = this.#owned && length >= VIEW_FROM && name !== 'ArrayBuffer' && (at - this.#origin) % 8 === 0 && offset % 8 === 0;
    const store = view ? buffer.buffer : buffer.buffer.slice(offset, offset + length);
    const from = view ? offset : 0;
    return this.#remember(viewOf(name, store, from, length));
  }

  #error(depth: number): Error {
    const slot = this.#reserve();
    const name = this.#stringOf(depth);
    const message = this.#stringOf(depth);
    const stack = this.#any(depth + 1);
    const error = reviveError(name, message, typeof stack === 'string' ? stack : undefined);
    this.#fill(slot, error);
    const count = this.#count(2);
    for (let i = 0; i < count; i++) {
      const key = this.#stringOf(depth);
      const value = this.#any(depth + 1);
      const enumerable = key !== 'cause' && key !== 'errors';
      Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
    }
    return error;
  }

  #remember<T>(object: T): T {
    if (this.#graph) this.#graph.push(object);
    return object;
  }

  #reserve(): number {
    return this.#graph ? this.#graph.push(undefined) - 1 : -1;
  }

  #fill<T>(slot: number, object: T): T {
    if (this.#graph && slot >= 0) this.#graph[slot] = object;
    return object;
  }
}

function setOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true }); // DE2
}
