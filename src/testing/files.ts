// A file system in memory, one for each machine.
import type { FileStat, Files } from '../kernel/index.ts';

interface Entry {
  bytes: Buffer;
  mtime: number;
  mode: number;
}

/** The files of one simulated machine, by path. */
export class MemoryFiles implements Files {
  readonly #files = new Map<string, Entry>();
  readonly #folders = new Set<string>();
  readonly #now: () => number;
  /** The number of bytes that fit in all; writing more fails as on a full disk. */
  capacity = Number.POSITIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  put(path: string, bytes: Uint8Array, mtime = 0): void {
    this.#files.set(path, { bytes: Buffer.from(bytes), mtime, mode: 0o600 });
  }

  get(path: string): Buffer | undefined {
    return this.#files.get(path)?.bytes;
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()].sort();
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const entry = this.#files.get(path);
    if (entry) return { size: entry.bytes.length, mtime: entry.mtime, mode: entry.mode, isFile: true };
    return this.#folders.has(path) ? { size: 0, mtime: 0, mode: 0o700, isFile: false } : undefined;
  }

  async openToRead(path: string) {
    const entry = this.#files.get(path);
    if (!entry) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return {
      stat: (await this.stat(path)) as FileStat,
      read: async (buffer: Uint8Array, position: number) => entry.bytes.copy(buffer, 0, position),
      close: async () => {},
    };
  }

  async openToWrite(path: string) {
    const entry = this.#files.get(path) ?? { bytes: Buffer.alloc(0), mtime: 0, mode: 0o600 };
    this.#files.set(path, entry);
    return {
      write: async (bytes: Uint8Array, position: number) => {
        const used = [...this.#files.values()].reduce((sum, one) => sum + one.bytes.length, 0);
        if (used + bytes.length > this.capacity) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        const grown = Buffer.alloc(Math.max(entry.bytes.length, position + bytes.length));
        entry.bytes.copy(grown);
        grown.set(bytes, position);
        entry.bytes = grown;
        entry.mtime = this.#now();
      },
      read: async (buffer: Uint8Array, position: number) => entry.bytes.copy(buffer, 0, position),
      finish: async ({ size, mtime, mode }: { size: number; mtime: number; mode: number }) => {
        Object.assign(entry, { bytes: entry.bytes.subarray(0, size), mtime, mode });
      },
      close: async () => {},
    };
  }

  async makeFolder(path: string): Promise<void> {
    this.#folders.add(path);
  }

  async real(path: string): Promise<string> {
    if (this.#folders.has(path) || this.#files.has(path)) return path;
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  }

  async rename(from: string, to: string): Promise<void> {
    const entry = this.#files.get(from);
    if (!entry) throw Object.assign(new Error(`no such file: ${from}`), { code: 'ENOENT' });
    this.#files.delete(from);
    this.#files.set(to, entry);
  }

  async remove(path: string): Promise<boolean> {
    return this.#files.delete(path);
  }

  async removeFolder(path: string): Promise<boolean> {
    const used = [...this.#files.keys(), ...this.#folders].some((other) => other.startsWith(`${path}/`));
    return !used && this.#folders.delete(path);
  }

  async list(path: string): Promise<readonly string[]> {
    return [...this.#files.keys()].filter((file) => file.startsWith(`${path}/`)).map((file) => file.slice(path.length + 1));
  }

  received(name: string): string {
    return `/received/${name}`;
  }
}
