// Values to bytes, in one walk: a part that cannot travel is refused where it is met, and nothing of its value is sent.
//
//   EN1. A frame has a dictionary of the shapes of its objects; it begins empty and ends with the frame.
//   EN2. A value is first written as a tree. If an object turns up twice, the value is written again as a graph.
//   EN3. A refused value leaves the bytes and the dictionary as they were before it.

import { ByteWriter } from './bytes.ts';
import { type Extensions, NO_EXTENSIONS } from './extension.ts';
import { LIMITS } from './limits.ts';
import { Refusal, Refusals, refusalError } from './refuse.ts';
import { BYTE_TYPE_NUMBERS, TAG } from './tags.ts';

interface Shape {
  readonly keys: readonly string[];
  readonly definition: Uint8Array;
  frame: number;
  index: number;
}

const REPEATED = Symbol('an object turned up twice');
const FEW = 24;
const SHAPES_KEPT = 16;

/** Writes values one after another into a buffer that grows. Owns the buffer until `take`n. */
export class Encoder extends ByteWriter {
  readonly #extensions: Extensions;
  readonly #byCount: Shape[][] = [];
  #frame = 0;
  #shapes: Shape[] = [];
  #graph: Map<object, number> | undefined;
  readonly #few: object[] = [];
  #fewCount = 0;
  #many: Set<object> | undefined;
  readonly #refusals = new Refusals();

  constructor(extensions: Extensions = NO_EXTENSIONS, buffer?: Buffer) {
    super(buffer);
    this.#extensions = extensions;
  }

  /** Begins a frame at the position, with an empty dictionary. */
  override beginFrame(): void {
    super.beginFrame();
    this.#frame++;
    if (this.#shapes.length > 0) this.#shapes = [];
  }

  /** Writes a value; throws ERR_WIRE_CANNOT_TRAVEL or ERR_WIRE_LIMIT naming the path from `name`. */
  value(value: unknown, name = 'value'): void {
    if (typeof value === 'number') return this.#number(value);
    const offset = this.position - this.start;
    const shapes = this.#shapes.length;
    this.#fewCount = 0;
    this.#many = undefined;
    try {
      this.#any(value, 0);
    } catch (thrown) {
      this.#rewind(offset, shapes);
      if (thrown !== REPEATED) throw this.#explain(thrown, value, name);
      this.#graph = new Map();
      try {
        this.byte(TAG.GRAPH);
        this.#any(value, 0);
      } catch (again) {
        this.#rewind(offset, shapes);
        throw this.#explain(again, value, name);
      } finally {
        this.#graph = undefined;
      }
    }
  }

  #rewind(offset: number, shapes: number): void {
    this.back(offset); // EN3
    for (const shape of this.#shapes.slice(shapes)) shape.frame = 0;
    this.#shapes.length = shapes;
  }

  #explain(thrown: unknown, root: unknown, name: string): unknown {
    if (thrown instanceof Refusal) return refusalError(thrown, root, name);
    if (thrown instanceof RangeError && /call stack/.test(thrown.message)) {
      return refusalError(new Refusal(root, 'it is nested too deeply', true), root, name);
    }
    return thrown;
  }

  #any(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        return this.#number(value);
      case 'object':
        if (value === null) return this.byte(TAG.NULL);
        return this.#object(value, depth);
      case 'boolean':
        return this.byte(value ? TAG.TRUE : TAG.FALSE);
      case 'undefined':
        return this.byte(TAG.UNDEFINED);
      case 'bigint':
        return this.#bigint(value);
      case 'function': {
        const replaced = this.#extensions.replace(value);
        if (replaced) return this.#visit(value) ? undefined : this.#extension(replaced, depth);
        throw new Refusal(
          value,
          `it is a function${value.name ? ` ('${value.name}')` : ''}. Send data, and call functions by run(), map() or spawn().`,
        );
      }
      default:
        throw new Refusal(value, `it is a ${typeof value}.`);
    }
  }

  #number(value: number): void {
    if (this.position + 9 > this.buffer.length) this.need(9);
    const buffer = this.buffer;
    if (value >> 0 === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0) {
        if (value < 0x40) buffer[this.position++] = value;
        else if (value < 0x100) {
          buffer[this.position++] = TAG.UINT8;
          buffer[this.position++] = value;
        } else if (value < 0x10000) {
          buffer[this.position++] = TAG.UINT16;
          buffer[this.position++] = value >> 8;
          buffer[this.position++] = value & 0xff;
        } else {
          buffer[this.position++] = TAG.UINT32;
          this.position = buffer.writeUInt32BE(value, this.position);
        }
      } else if (value >= -32) buffer[this.position++] = 0x80 + value;
      else {
        buffer[this.position++] = TAG.INT32;
        this.position = buffer.writeInt32BE(value, this.position);
      }
    } else {
      buffer[this.position++] = TAG.FLOAT64;
      this.position = buffer.writeDoubleBE(value, this.position);
    }
  }

  #string(value: string): void {
    const length = value.length;
    if (length < 64) {
      this.need(length + 10);
      const buffer = this.buffer;
      const head = length < 32 ? 1 : 2;
      let position = this.position + head;
      let i = 0;
      for (; i < length; i++) {
        const c = value.charCodeAt(i);
        if (c > 0x7f) break;
        buffer[position++] = c;
      }
      if (i === length) {
        if (length < 32) buffer[this.position] = TAG.TEXT | length;
        else {
          buffer[this.position] = TAG.ASCII;
          buffer[this.position + 1] = length;
        }
        this.position = position;
        return;
      }
    }
    if (length > LIMITS.string)
      throw new Refusal(value, `it is a string of ${length} characters; at most ${LIMITS.string} can be sent.`, true);
    if (!value.isWellFormed()) {
      this.byte(TAG.UTF16);
      this.varint(length * 2);
      this.need(length * 2);
      this.position += this.buffer.write(value, this.position, 'utf16le');
      return;
    }
    const bytes = Buffer.byteLength(value);
    this.byte(bytes === length ? TAG.ASCII : TAG.UTF8);
    this.varint(bytes);
    this.need(bytes);
    this.position += this.buffer.write(value, this.position, bytes === length ? 'latin1' : 'utf8');
  }

  #bigint(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16);
    const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
    this.byte(TAG.BIGINT);
    this.byte(value < 0n ? 1 : 0);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  #object(value: object, depth: number): void {
    if (depth > LIMITS.depth) throw new Refusal(value, `it is nested more than ${LIMITS.depth} levels deep.`, true);
    if (this.#visit(value)) return;
    const made: unknown = value.constructor;
    if (made === Object || made === undefined) this.#record(value as Record<string, unknown>, depth);
    else if (Array.isArray(value)) this.#array(value, depth);
    else this.#special(value, depth);
  }

  // EN2: returns true when it wrote a back reference instead.
  #visit(value: object): boolean {
    if (this.#graph) {
      const index = this.#graph.get(value);
      if (index === undefined) {
        this.#graph.set(value, this.#graph.size);
        return false;
      }
      this.byte(TAG.BACK);
      this.varint(index);
      return true;
    }
    if (this.#many) {
      if (this.#many.has(value)) throw REPEATED;
      this.#many.add(value);
      return false;
    }
    const few = this.#few;
    for (let i = this.#fewCount - 1; i >= 0; i--) if (few[i] === value) throw REPEATED;
    if (this.#fewCount < FEW) few[this.#fewCount++] = value;
    else {
      this.#many = new Set(few);
      this.#many.add(value);
    }
    return false;
  }

  #record(value: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(value);
    const count = keys.length;
    if (count === 0) this.#refusals.checkEmpty(value);
    if (count > LIMITS.shapeKeys || this.#shapes.length >= LIMITS.shapes) {
      this.byte(TAG.OBJECT);
      this.varint(count);
      for (const key of keys) {
        this.#string(key);
        this.#any(value[key], depth + 1);
      }
      return;
    }
    const shape = this.#shapeOf(keys);
    if (shape.frame === this.#frame) {
      if (shape.index < 32) this.byte(TAG.SHAPE | shape.index);
      else {
        this.byte(TAG.SHAPE_AT);
        this.varint(shape.index);
      }
    } else {
      shape.frame = this.#frame; // EN1
      shape.index = this.#shapes.length;
      this.#shapes.push(shape);
      this.raw(shape.definition);
    }
    for (let i = 0; i < count; i++) {
      const property = value[keys[i] as string];
      if (typeof property === 'number') this.#number(property);
      else if (typeof property === 'string') this.#string(property);
      else this.#any(property, depth + 1);
    }
  }

  #shapeOf(keys: string[]): Shape {
    const count = keys.length;
    let candidates = this.#byCount[count];
    if (!candidates) {
      candidates = [];
      this.#byCount[count] = candidates;
    }
    search: for (let c = 0; c < candidates.length; c++) {
      const shape = candidates[c] as Shape;
      for (let i = 0; i < count; i++) if (shape.keys[i] !== keys[i]) continue search;
      if (c > 0) {
        candidates[c] = candidates[c - 1] as Shape;
        candidates[c - 1] = shape;
      }
      return shape;
    }
    const shape: Shape = { keys, definition: defineShape(keys), frame: 0, index: 0 };
    if (candidates.length >= SHAPES_KEPT) candidates.pop();
    candidates.push(shape);
    return shape;
  }

  #array(value: readonly unknown[], depth: number): void {
    const length = value.length;
    if (length > LIMITS.elements) throw new Refusal(value, `it has ${length} elements; at most ${LIMITS.elements} can be sent.`, true);
    if (length < 16) this.byte(TAG.LIST | length);
    else {
      this.byte(TAG.ARRAY);
      this.varint(length);
    }
    for (let i = 0; i < length; i++) {
      const element = value[i];
      if (typeof element === 'number') this.#number(element);
      else if (element === undefined && !(i in value)) this.byte(TAG.HOLE);
      else this.#any(element, depth + 1);
    }
  }

  #extension(replaced: { code: number; payload: unknown }, depth: number): void {
    this.byte(TAG.EXTENSION);
    this.byte(replaced.code);
    this.#any(replaced.payload, depth + 1);
  }

  #special(value: object, depth: number): void {
    if (value instanceof Map) {
      this.byte(TAG.MAP);
      this.varint(value.size);
      for (const [key, entry] of value) {
        this.#any(key, depth + 1);
        this.#any(entry, depth + 1);
      }
    } else if (value instanceof Set) {
      this.byte(TAG.SET);
      this.varint(value.size);
      for (const entry of value) this.#any(entry, depth + 1);
    } else if (value instanceof Date) {
      this.byte(TAG.DATE);
      this.#number(value.getTime());
    } else if (value instanceof RegExp) {
      this.byte(TAG.REGEXP);
      this.#string(value.source);
      this.#string(value.flags);
    } else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) this.#bytes(value);
    else if (value instanceof Error) this.#error(value, depth);
    else if (value instanceof URL) {
      this.byte(TAG.URL);
      this.#string(value.href);
    } else {
      const replaced = this.#extensions.replace(value);
      if (replaced) return this.#extension(replaced, depth);
      this.#refusals.check(value);
      this.#record(value as Record<string, unknown>, depth);
    }
  }

  #bytes(value: ArrayBufferView | ArrayBuffer): void {
    const name = Buffer.isBuffer(value) ? 'Buffer' : Object.prototype.toString.call(value).slice(8, -1);
    const type = BYTE_TYPE_NUMBERS.get(name);
    if (type === undefined) throw new Refusal(value, `it is a ${name}.`);
    const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
    this.byte(TAG.BYTES);
    this.byte(type);
    this.varint(bytes.length);
    this.aligned(bytes, value);
  }

  #error(error: Error, depth: number): void {
    const names = Object.keys(error).filter((key) => key !== 'stack' && key !== 'message' && key !== 'name');
    const hidden = ['cause', 'errors'].filter((key) => Object.hasOwn(error, key) && !names.includes(key));
    this.byte(TAG.ERROR);
    this.#string(String(error.name));
    this.#string(String(error.message));
    this.#lenient(typeof error.stack === 'string' ? error.stack : undefined, depth);
    this.varint(names.length + hidden.length);
    for (const name of [...names, ...hidden]) {
      this.#string(name);
      this.#lenient(Reflect.get(error, name), depth + 1);
    }
  }

  // A property of an error must not hide the error: if it cannot travel, a description stands for it.
  #lenient(value: unknown, depth: number): void {
    const offset = this.position - this.start;
    const shapes = this.#shapes.length;
    const graphSize = this.#graph?.size ?? 0;
    try {
      this.#any(value, depth);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      this.#rewind(offset, shapes);
      if (this.#graph) for (const [object, index] of this.#graph) if (index >= graphSize) this.#graph.delete(object);
      this.#string(`[not sent: ${thrown.reason}]`);
    }
  }
}

function defineShape(keys: readonly string[]): Uint8Array {
  const inner = new Encoder(NO_EXTENSIONS, Buffer.allocUnsafe(256));
  inner.beginFrame();
  inner.byte(TAG.NEW_SHAPE);
  const body = new Encoder(NO_EXTENSIONS, Buffer.allocUnsafe(256));
  body.beginFrame();
  body.varint(keys.length);
  for (const key of keys) body.value(key);
  inner.varint(body.position);
  inner.raw(body.buffer.subarray(0, body.position));
  return Uint8Array.prototype.slice.call(inner.buffer, 0, inner.position);
}
