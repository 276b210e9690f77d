// The file receiver checks an offer, writes the bytes under a name of their own, and puts the file in place when it is whole and right.
//
// Owns the transfers under way and the unfinished files. Does not own the sender's side (send.ts).
//
//   RC1. A file appears under its name only when all its bytes are there and their hash is the sender's.
//   RC2. Bytes are counted as they arrive: more bytes than announced, or than the limit, end the transfer.
//   RC3. Bytes that were received before a session was lost are kept, and resumed when the same file is offered again.
//   RC4. A transfer that fails otherwise, or that its sender gives up, leaves nothing: it is gone before the sender is told.
//   RC5. Unfinished files that are kept to be resumed give way when the disk is full.
//
// To resume, the receiver reads the unfinished file into the hash of the transfer and asks for the rest. So the hash that is compared at
// the end covers the old bytes, too: an unfinished file that is damaged, or has another content, is noticed and removed.
import { createHash, type Hash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { FlotillaError, type RuntimeId, toError } from '../../base/index.ts';
import { LIMITS } from '../../wire/index.ts';
import type { Environment } from '../environment.ts';
import type { Post } from '../post/post.ts';
import { FILE_NOTICES, FILES } from '../protocol.ts';
import type { FileData, FileOffer, FileStat, OfferAnswer, ReceiverNotice, Writing } from './contract.ts';
import { checkPath, fileError, folderUnder, PART, partName } from './paths.ts';

/** The most files that are received at once: from all peers, and from each. */
export const TRANSFERS = { all: 4_096, each: 1_024 } as const;
const NO_ROOM: readonly string[] = ['ENOSPC', 'EDQUOT'];
const PARTS_KEPT_MS = 24 * 3_600_000;
const HASH_BYTES = 1 << 20;
const MOST_BYTES = LIMITS.frame;
const POOLED = 32;

/** Bytes that have arrived, in memory that is used again. */
interface Chunk {
  readonly whole: Buffer;
  readonly bytes: Buffer;
}

interface Transfer {
  readonly peer: RuntimeId;
  readonly number: number;
  readonly offer: FileOffer;
  readonly target: string;
  readonly part: string;
  readonly writing: Writing;
  readonly hash: Hash;
  arrived: number;
  written: Promise<void>;
  failure: Error | undefined;
}

/** The folders for received files, and the limit of their size. */
export interface ReceiveSettings {
  dir: string;
  /** Gives a sender a folder of its own. */
  dirOf?: (peer: RuntimeId) => string | undefined;
  /** Hears that a file of a sender is in its place. */
  placed?: (peer: RuntimeId, path: string) => void;
  /** The most bytes of a file; undefined or 0: no limit. */
  maxSize: number | undefined;
}

/** Receives the files that are sent to one runtime. */
export class FileReceiver {
  readonly settings: ReceiveSettings;
  readonly #post: Post;
  readonly #environment: Environment;
  readonly #transfers = new Map<string, Transfer>();
  readonly #targets = new Set<string>();
  /** The transfers that are being cleared away, by their key and by the path of their file. */
  readonly #dropping = new Map<string, Promise<void>>();
  readonly #pool: Buffer[] = [];
  /** The chunk of each sender that is being read straight into its memory. */
  readonly #landing = new Map<RuntimeId, { readonly number: number; readonly chunk: Chunk }>();
  #next = 1;

  constructor(post: Post, environment: Environment, settings: ReceiveSettings) {
    this.#post = post;
    this.#environment = environment;
    this.settings = settings;
    const data: FileData = {
      arrived: (peer, number, bytes) => this.#arrived(peer, number, bytes),
      land: (peer, number, bytes) => this.#land(peer, number, bytes),
      landed: (peer, number) => this.#landed(peer, number),
    };
    post.serve(
      FILES,
      {
        offer: ({ peer }, offer) => this.#offer(peer, offer),
        finish: ({ peer }, transfer, hash) => this.#finish(peer, transfer, hash),
        give: ({ peer }, transfer) => this.#drop(peer, transfer, true),
        delete: ({ peer }, dir, name) => this.#delete(this.#dirOf(peer), dir, name),
      },
      { data },
    );
    post.on({
      ended: (peer) => {
        this.#landing.delete(peer);
        for (const transfer of [...this.#transfers.values()]) if (transfer.peer === peer) void this.#drop(peer, transfer.number, false); // RC3
      },
    });
  }

  get active(): number {
    return this.#transfers.size;
  }

  /** Ends every transfer; unfinished files are kept. */
  async close(): Promise<void> {
    await Promise.all([...this.#transfers.values()].map(({ peer, number }) => this.#drop(peer, number, false)));
  }

  async #offer(peer: RuntimeId, offer: FileOffer): Promise<OfferAnswer> {
    const { folders, name } = checkPath(offer.dir, offer.name);
    const { size, mtime } = offer;
    if (!Number.isSafeInteger(size) || size < 0 || typeof mtime !== 'number')
      throw new FlotillaError('ERR_FILE_REFUSED', `A file of ${String(size)} bytes was offered.`);
    const { maxSize } = this.settings;
    if (maxSize && size > maxSize)
      throw new FlotillaError('ERR_FILE_REFUSED', `'${name}' has ${size} bytes; files of at most ${maxSize} are taken here.`);
    const each = [...this.#transfers.values()].filter((one) => one.peer === peer).length;
    if (this.#transfers.size >= TRANSFERS.all || each >= TRANSFERS.each)
      throw new FlotillaError('ERR_LIMIT', `${each} files from you are being received here already.`);
    const { files } = this.#environment;
    const folder = (await folderUnder(files, this.#dirOf(peer), folders, true).catch((error: unknown) => {
      throw fileError(`A folder for '${name}' cannot be made`, error);
    })) as string;
    const target = join(folder, name);
    await this.#dropping.get(target); // a transfer that failed a moment ago may still be cleared away
    if (this.#targets.has(target)) throw new FlotillaError('ERR_FILE_REFUSED', `'${name}' is being received from somebody already.`);
    this.#targets.add(target);
    try {
      const there = await files.stat(target);
      if (there && !there.isFile) throw new FlotillaError('ERR_FILE_PATH', `'${name}' is there already, and is no plain file.`);
      if (there && (await this.#same(target, there, offer))) return this.#leave(target, { kind: 'present' });
      if (there && !offer.overwrite) return this.#leave(target, { kind: 'differs', stat: there });
      await this.#sweep(folder, PARTS_KEPT_MS);
      return await this.#begin(peer, offer, target, join(folder, partName(name, size, mtime)));
    } catch (error) {
      this.#targets.delete(target);
      throw fileError(`'${name}' cannot be received`, error);
    }
  }

  #leave(target: string, answer: OfferAnswer): OfferAnswer {
    this.#targets.delete(target);
    return answer;
  }

  async #same(target: string, there: FileStat, offer: FileOffer): Promise<boolean> {
    if (there.size !== offer.size) return false;
    if (offer.hash === undefined) return there.mode === (offer.mode & 0o777) && Math.abs(there.mtime - offer.mtime) < 1_000;
    const { files } = this.#environment;
    const reading = await files.openToRead(target);
    const hash = createHash('sha256');
    try {
      await hashUpTo(hash, there.size, (buffer, at) => reading.read(buffer, at));
    } finally {
      await reading.close();
    }
    return hash.digest('hex') === offer.hash;
  }

  async #begin(peer: RuntimeId, offer: FileOffer, target: string, part: string): Promise<OfferAnswer> {
    const { files } = this.#environment;
    const before = await files.stat(part);
    const from = before?.isFile && before.size <= offer.size ? before.size : 0;
    const writing = await files.openToWrite(part);
    const hash = createHash('sha256');
    await hashUpTo(hash, from, (buffer, at) => writing.read(buffer, at)).catch(async (error: unknown) => {
      await writing.close().catch(() => {});
      throw error;
    }); // RC3
    const number = this.#next++;
    const transfer: Transfer = {
      peer,
      number,
      offer,
      target,
      part,
      writing,
      hash,
      arrived: from,
      written: Promise.resolve(),
      failure: undefined,
    };
    this.#transfers.set(`${peer} ${number}`, transfer);
    return { kind: 'go', transfer: number, from };
  }

  #arrived(peer: RuntimeId, number: number, bytes: Buffer): void {
    const transfer = this.#transfers.get(`${peer} ${number}`);
    if (!transfer || transfer.failure) return;
    if (transfer.arrived + bytes.length > transfer.offer.size) {
      const error = new FlotillaError('ERR_FILE_REFUSED', `More bytes arrived than were announced for '${transfer.offer.name}'.`);
      return this.#fail(transfer, error); // RC2
    }
    const chunk = this.#chunk(bytes.length);
    bytes.copy(chunk.bytes);
    this.#take(transfer, chunk);
  }

  #land(peer: RuntimeId, number: number, bytes: number): Buffer | undefined {
    const transfer = this.#transfers.get(`${peer} ${number}`);
    if (!transfer || transfer.failure || bytes > MOST_BYTES || transfer.arrived + bytes > transfer.offer.size) return undefined; // RC2
    const chunk = this.#chunk(bytes);
    this.#landing.set(peer, { number, chunk });
    return chunk.bytes;
  }

  #landed(peer: RuntimeId, number: number): void {
    const landing = this.#landing.get(peer);
    this.#landing.delete(peer);
    const transfer = this.#transfers.get(`${peer} ${number}`);
    if (landing?.number === number && transfer && !transfer.failure) this.#take(transfer, landing.chunk);
  }

  // Gives memory that was used before, because fresh memory costs as much as the copy.
  #chunk(bytes: number): Chunk {
    const whole = this.#pool.pop() ?? Buffer.allocUnsafeSlow(MOST_BYTES);
    return { whole, bytes: whole.subarray(0, bytes) };
  }

  #take(transfer: Transfer, { whole, bytes }: Chunk): void {
    const at = transfer.arrived;
    transfer.arrived += bytes.length;
    transfer.hash.update(bytes);
    transfer.written = transfer.written
      .then(() => (transfer.failure ? undefined : transfer.writing.write(bytes, at)))
      .then(
        () => {
          if (this.#pool.length < POOLED) this.#pool.push(whole);
          this.#notice(transfer, { kind: 'took', transfer: transfer.number, bytes: bytes.length });
        },
        (error: unknown) => this.#fail(transfer, fileError(`'${transfer.offer.name}' cannot be written at the receiver`, error)),
      );
  }

  #notice(transfer: Transfer, notice: ReceiverNotice): void {
    if (this.#post.peers.has(transfer.peer)) this.#post.message(transfer.peer, FILE_NOTICES, notice);
  }

  #fail(transfer: Transfer, error: Error): void {
    if (transfer.failure) return;
    transfer.failure = error;
    void this.#drop(transfer.peer, transfer.number, true)
      .then(() => (NO_ROOM.includes((error as { system?: string }).system ?? '') ? this.#sweep(dirname(transfer.part), 0) : undefined)) // RC5
      .catch((thrown: unknown) => this.#post.log.debug(toError(thrown).message))
      .then(() => this.#notice(transfer, { kind: 'failed', transfer: transfer.number, error })); // RC4
  }

  // Puts a file in place if it is whole and right. RC1
  async #finish(peer: RuntimeId, number: number, hash: string): Promise<void> {
    const transfer = this.#transfers.get(`${peer} ${number}`);
    if (!transfer) throw new FlotillaError('ERR_FILE_REFUSED', 'No such transfer is under way.');
    const { offer, writing, part, target } = transfer;
    await transfer.written;
    if (transfer.failure) throw transfer.failure;
    if (transfer.arrived !== offer.size || transfer.hash.digest('hex') !== hash) {
      await this.#drop(peer, number, true);
      throw new FlotillaError('ERR_FILE_CHANGED', `'${offer.name}' did not arrive as it was sent, or changed meanwhile. Send it again.`);
    }
    this.#transfers.delete(`${peer} ${number}`);
    try {
      await writing.finish(offer);
      await writing.close();
      const there = offer.overwrite ? undefined : await this.#environment.files.stat(target);
      if (there) throw new FlotillaError('ERR_FILE_REFUSED', `Another '${offer.name}' has come into being meanwhile.`);
      await this.#environment.files.rename(part, target);
      this.settings.placed?.(peer, target);
    } catch (error) {
      await this.#environment.files.remove(part).catch(() => false);
      throw fileError(`'${offer.name}' cannot be put in place`, error);
    } finally {
      this.#targets.delete(target);
    }
  }

  // Ends a transfer, and keeps or removes its unfinished file. RC3, RC4
  async #drop(peer: RuntimeId, number: number, remove: boolean): Promise<void> {
    const key = `${peer} ${number}`;
    const transfer = this.#transfers.get(key);
    if (!transfer) return this.#dropping.get(key);
    this.#transfers.delete(key);
    const names = [key, transfer.target];
    const dropping = this.#clear(transfer, remove).finally(() => names.forEach((name) => void this.#dropping.delete(name)));
    for (const name of names) this.#dropping.set(name, dropping);
    await dropping;
  }

  async #clear(transfer: Transfer, remove: boolean): Promise<void> {
    transfer.failure ??= new FlotillaError('ERR_FILE_REFUSED', 'The transfer was given up.');
    await transfer.written;
    await transfer.writing.close().catch(() => {});
    if (remove || transfer.arrived === 0) await this.#environment.files.remove(transfer.part).catch(() => false);
    this.#targets.delete(transfer.target);
  }

  #dirOf(peer: RuntimeId): string {
    return this.settings.dirOf?.(peer) ?? this.settings.dir;
  }

  async #delete(root: string, dir: string, name: string): Promise<boolean> {
    const { files } = this.#environment;
    const checked = checkPath(dir, name);
    try {
      const folder = await folderUnder(files, root, checked.folders, false);
      if (folder === undefined) return false;
      const target = join(folder, name);
      const there = await files.stat(target);
      if (!there) return false;
      if (!there.isFile) throw new FlotillaError('ERR_FILE_PATH', `'${name}' is no plain file.`);
      const removed = await files.remove(target);
      for (let depth = checked.folders.length; depth > 0; depth--) {
        if (!(await files.removeFolder(join(root, ...checked.folders.slice(0, depth))))) break;
      }
      return removed;
    } catch (error) {
      throw fileError(`'${name}' cannot be deleted`, error);
    }
  }

  // Removes unfinished files of a folder that have not been resumed for so long.
  async #sweep(folder: string, keptMs: number): Promise<void> {
    const { files, clock } = this.#environment;
    for (const name of await files.list(folder)) {
      const path = join(folder, name);
      if (!name.startsWith(PART) || [...this.#transfers.values()].some(({ part }) => part === path)) continue;
      const stat = await files.stat(path);
      if (stat && clock.wall() - stat.mtime >= keptMs)
        await files.remove(join(folder, name)).catch((error: unknown) => this.#post.log.debug(toError(error).message));
    }
  }
}

/** Feeds the first `size` bytes of a file to a hash. */
export async function hashUpTo(hash: Hash, size: number, read: (buffer: Uint8Array, at: number) => Promise<number>): Promise<void> {
  if (size === 0) return;
  const buffer = Buffer.allocUnsafeSlow(Math.min(HASH_BYTES, size));
  for (let at = 0; at < size; ) {
    const count = await read(buffer.subarray(0, Math.min(buffer.length, size - at)), at);
    if (count === 0) throw new FlotillaError('ERR_FILE_CHANGED', 'The file became shorter while it was read.');
    hash.update(buffer.subarray(0, count));
    at += count;
  }
}
