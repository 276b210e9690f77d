// Every size, depth and count that the wire refuses to exceed.

/** The limits of frames and values. Bytes unless the name says otherwise. */
export const LIMITS = {
  /** The fixed greeting, the only bytes read before the other side has proved itself. */
  greeting: 512,
  /** One frame on a link; larger messages travel in parts. */
  frame: 1 << 20,
  /** A message above this travels in parts, so that it delays nothing but later ones to its own target. */
  whole: 256 << 10,
  /** One part of a large message. */
  part: 256 << 10,
  /** One message, put together. */
  message: 0x7fff_0000,
  /** Levels of nesting in a value. */
  depth: 256,
  /** Elements of one array, map, set or object. */
  elements: 1 << 26,
  /** One string, in code units: what the engine itself can hold. */
  string: 0x1fff_ffe8 >> 1,
  /** Different shapes of objects in one frame; beyond it objects travel with their keys. */
  shapes: 4096,
  /** Properties of an object that travels by shape. */
  shapeKeys: 64,
} as const;
