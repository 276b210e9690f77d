// Reads a file as memory. Where the package 'koffi' is installed the file is mapped, so that all workers of a machine share its pages;
// elsewhere each worker has a copy.
//
// Owns the way to map files on this machine, once it has been looked for. Does not own the memory: that goes with its last user.
//
//   MD1. A mapping is private: a worker that writes to it gets pages of its own, and nobody else sees them.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const PROT_READ_WRITE = 3;
const MAP_PRIVATE = 2;

interface Foreign {
  mmap(at: null, length: number, protection: number, flags: number, file: number, offset: number): unknown;
  view(pointer: unknown, length: number): ArrayBuffer;
}

/** Reads files as memory. */
export class FileMaps {
  /** The system's function that maps files. It is looked for when the first file is read; absent where there is none, or it has failed. */
  #foreign: Foreign | undefined | 'unknown' = 'unknown';

  /** The bytes of a file. */
  read(path: string): ArrayBuffer {
    if (this.#foreign === 'unknown') this.#foreign = loadForeign();
    if (this.#foreign) {
      const file = openSync(path, 'r');
      try {
        const { size } = fstatSync(file);
        const at = this.#foreign.mmap(null, size, PROT_READ_WRITE, MAP_PRIVATE, file, 0);
        return this.#foreign.view(at, size); // MD1
      } catch {
        this.#foreign = undefined;
      } finally {
        closeSync(file);
      }
    }
    const bytes = readFileSync(path);
    const copy = new ArrayBuffer(bytes.byteLength);
    new Uint8Array(copy).set(bytes);
    return copy;
  }
}

function loadForeign(): Foreign | undefined {
  if (process.platform !== 'linux' && process.platform !== 'darwin') return undefined;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const library = koffi.load(process.platform === 'darwin' ? 'libSystem.B.dylib' : null);
    const mmap = library.func('void *mmap(void *at, size_t length, int protection, int flags, int file, int64_t offset)');
    return { mmap: (...args) => mmap(...args), view: (pointer, length) => koffi.view(pointer, length) };
  } catch {
    return undefined;
  }
}
