// The memory that a socket reads to: the place where the bytes belong, or a scratch that all sockets of a thread use by turns.
//
// Owns no memory of its own. Node is told of the next place after each read, so a place is written to only until `callback`
// has returned for the read that filled it.
import { Socket } from 'node:net';
import { BUFFERS } from './tls.ts';

/** Bytes that are read here are used or copied before the next read, so the contents mean nothing between two reads. */
const SCRATCH = Buffer.allocUnsafeSlow(256 << 10);
/** A smaller scratch for the read after a place. The head of another long frame most likely comes then, and every byte read with it would have to be copied to its place; once so much comes at once that it is full, the whole scratch is used again. */
const HEADS = SCRATCH.subarray(0, 4 << 10);

/** Takes what a socket reads. */
export interface Reader {
  place(): Buffer | undefined;
  placed(bytes: number): void;
  /** Takes bytes, which are valid during the call. Returns false to have no more for now. */
  data(chunk: Buffer): boolean;
}

/** The `onread` of one socket. */
export class SocketLanding {
  /** The taker of the bytes that are read. */
  reader: Reader | undefined;
  #place: Buffer | undefined;
  #scratch = SCRATCH;
  #filled = false;

  /** The option of this name of `net.connect` and `new Socket`. */
  readonly onread = {
    buffer: (): Buffer => {
      if (this.#place) this.#scratch = HEADS;
      else if (this.#filled) this.#scratch = SCRATCH;
      this.#place = this.reader?.place();
      return this.#place ?? this.#scratch;
    },
    callback: (bytes: number): boolean => {
      this.#filled = !this.#place && bytes === this.#scratch.length;
      if (!this.#place) return this.reader?.data(this.#scratch.subarray(0, bytes)) ?? true;
      this.reader?.placed(bytes);
      return true;
    },
  };
}

interface Handle {
  reading: boolean;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/** Makes an accepted socket read by a landing, and gives the bytes that had been read of it; undefined where this version of Node does not allow that. */
export function withLanding(
  accepted: Socket,
): { readonly socket: Socket; readonly landing: SocketLanding; readonly rest: Buffer } | undefined {
  const held = accepted as unknown as { _handle?: Partial<Handle> | null };
  const handle = held._handle;
  if (typeof handle?.readStop !== 'function' || typeof handle.useUserBuffer !== 'function' || handle.readStop() !== 0) return undefined;
  const rest: Buffer[] = [];
  for (let chunk = accepted.read(); chunk; chunk = accepted.read()) rest.push(chunk); // some versions give all at once, others chunk by chunk
  handle.reading = false;
  held._handle = null;
  const landing = new SocketLanding();
  const options = { handle, onread: landing.onread, readable: true, writable: true, pauseOnCreate: true, ...BUFFERS };
  const socket = new Socket(options as object);
  socket.on('close', () => accepted.destroy()); // its server counts the one that it made, and closes it
  accepted.on('close', () => socket.destroy());
  return { socket, landing, rest: Buffer.concat(rest) };
}
