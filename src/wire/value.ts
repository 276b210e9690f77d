// One value as bytes of its own: for what is stored, or sent outside a frame.
import { Decoder } from './decode.ts';
import { Encoder } from './encode.ts';
import type { Extensions } from './extension.ts';

/** The bytes of a value. Throws ERR_WIRE_CANNOT_TRAVEL naming the path from `name`. */
export function encodeValue(value: unknown, name?: string, extensions?: Extensions): Buffer {
  const encoder = new Encoder(extensions, Buffer.allocUnsafe(1024));
  encoder.beginFrame();
  encoder.value(value, name);
  return encoder.buffer.subarray(encoder.start, encoder.position);
}

/** The value of bytes that `encodeValue` made. Throws ERR_WIRE_MALFORMED. */
export function decodeValue(bytes: Buffer, extensions?: Extensions): unknown {
  const decoder = new Decoder(extensions);
  decoder.begin(bytes, 0, bytes.length);
  return decoder.value();
}
