/* Bytes and values: messages, the codec, frames, limits, the version. Pure: nothing here waits or reads a clock. Start reading at encode.ts. */

export { ByteWriter } from './bytes.ts';
export { Decoder } from './decode.ts';
export { Encoder } from './encode.ts';
export type { Extensions } from './extension.ts';
export { NO_EXTENSIONS } from './extension.ts';
export type { FrameHandler, Lander, Landing } from './frame.ts';
export { eachFrame, FrameSplitter, KIND, LENGTH_BYTES, readVarint } from './frame.ts';
export { takeGiven, transfer } from './given.ts';
export { LIMITS } from './limits.ts';
export { decodeValue, encodeValue } from './value.ts';
export { agreeVersion, VERSION } from './version.ts';
