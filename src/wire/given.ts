// Bytes that their owner gives away, so that they are sent from where they lie.
const GIVEN: unique symbol = Symbol.for('flotilla.given');

/**
 * Gives bytes away: the next message to a task of another runtime that has them sends them without a copy. They are empty afterwards, with all
 * views of their ArrayBuffer.
 *
 * Worth it from 256 KiB on; less is copied as ever, as are arguments and results of calls. Returns the same bytes.
 *
 * @example
 * sink.send({ frame: 7, pixels: transfer(pixels) })
 */
export function transfer<T extends ArrayBufferView | ArrayBuffer>(bytes: T): T {
  Object.defineProperty(bytes, GIVEN, { value: true, configurable: true });
  return bytes;
}

/** Whether bytes have been given away. */
export function isGiven(bytes: object): boolean {
  return Object.hasOwn(bytes, GIVEN);
}

/** Takes all of them from their owners, who keep empty views. A buffer that the engine does not let go of is copied. */
export function takeGiven(all: readonly Uint8Array[]): Buffer[] {
  const taken = new Map<ArrayBuffer, ArrayBuffer>();
  const places = all.map(({ buffer, byteOffset, byteLength }) => ({ store: buffer as ArrayBuffer, byteOffset, byteLength }));
  return places.map(({ store, byteOffset, byteLength }) => {
    const moved = taken.get(store) ?? take(store);
    taken.set(store, moved);
    return Buffer.from(moved, byteOffset, byteLength);
  });
}

function take(store: ArrayBuffer): ArrayBuffer {
  try {
    return structuredClone(store, { transfer: [store] });
  } catch {
    return store.slice(0);
  }
}
