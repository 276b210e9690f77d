// A file as memory: where the package 'koffi' is installed, mapped, so that all workers of a machine share its pages; else a copy.
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

let foreign: Foreign | undefined | 'unknown' = 'unknown';

/** The bytes of a file. */
export function mapFile(path: string): ArrayBuffer {
  if (foreign === 'unknown') foreign = loadForeign();
  if (foreign) {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const at = foreign.mmap(null, size, PROT_READ_WRITE, MAP_PRIVATE, file, 0);
      return foreign.view(at, size); // MD1
    } catch {
      foreign = undefined;
    } finally {
      closeSync(file);
    }
  }
  const bytes = readFileSync(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function loadForeign(): Foreign | undefined {
  if (process.platform !== 'linux' && process.platform !== 'darwin') return undefined;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const library = koffi.load(process.platform === 'darwin' ? 'libSystem.B.dylib' : null);
    const mmap = library.func('void *mmap(void *at, size_t length, int protection, int flags, int file, int64_t offset)');
    return { mmap: mmap as unknown as Foreign['mmap'], view: (pointer, length) => koffi.view(pointer, length) };
  } catch {
    return undefined;
  }
}
