// The file sender reads, hashes and sends a file, a bounded number of chunks ahead of the receiver's disk.
//
//   FS1. At most AHEAD chunks are read and not yet written at the other side, however large the file.
//   FS2. Every transfer ends: sent, present, differs, or with an error. A receiver that has taken nothing for `timeout` is an error.
//   FS3. A caller that gives a transfer up hears so when the other end has nothing of it any more, or cannot be reached.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Deferred, FlotillaError, hasCode, onAbort, type RuntimeId, toError } from '../../base/index.ts';
import { ByteWriter, KIND, LENGTH_BYTES } from '../../wire/index.ts';
import type { Environment } from '../environment.ts';
import type { Post } from '../post/post.ts';
import { sessionError } from '../post/requests.ts';
import { FILE_NOTICES, FILES } from '../protocol.ts';
import type { FileOffer, FileOutcome, OfferAnswer, Reading, SendFileOptions } from './contract.ts';
import { checkPath, fileError } from './paths.ts';
import { hashUpTo } from './receive.ts';

const CHUNK = 512 << 10;
const AHEAD = 16;
const HEAD = 32;
const EMPTY = Buffer.alloc(0);
const TIMEOUT_MS = 30_000;
/** The time for which a sender that gives up waits for the other end to clear away. */
const GIVE_MS = 5_000;

/** The files that one runtime sends. */
export class FileSender {
  readonly #post: Post;
  readonly #environment: Environment;
  readonly #sending = new Map<string, Sending>();
  readonly #pool: Buffer[] = [];

  constructor(post: Post, environment: Environment) {
    this.#post = post;
    this.#environment = environment;
    post.serve(
      FILE_NOTICES,
      {},
      {
        message: (peer, notice) => {
          const sending = this.#sending.get(`${peer} ${notice.transfer}`);
          if (notice.kind === 'took') sending?.took(notice.bytes);
          else sending?.fail(toError(notice.error));
        },
      },
    );
    post.on({
      ended: (peer, end) => {
        for (const [key, sending] of this.#sending) if (key.startsWith(peer)) sending.fail(sessionError(end, 'A file was not sent whole'));
      },
    });
  }

  /** Sends a file. Rejects with ERR_FILE_*, ERR_SESSION_LOST, ERR_TIMEOUT or the signal's reason. */
  async send(peer: RuntimeId, path: string, options: SendFileOptions): Promise<FileOutcome> {
    const { dir = '', name = basename(path), overwrite = false, compare = 'stat', timeout = TIMEOUT_MS, signal } = options;
    checkPath(dir, name);
    signal?.throwIfAborted();
    const { files } = this.#environment;
    const reading = await files.openToRead(path).catch((error: unknown) => {
      throw fileError(`'${path}' cannot be read`, error);
    });
    try {
      const { stat } = reading;
      if (!stat.isFile) throw new FlotillaError('ERR_FILE_SYSTEM', `'${path}' is no plain file.`);
      const { size, mtime, mode } = stat;
      if (size === 0 && (await reading.read(new Uint8Array(1), 0)) > 0)
        throw new FlotillaError(
          'ERR_FILE_SYSTEM',
          `'${path}' says that it is empty, and is not: the system makes it up as it is read. Send a copy.`,
        );
      const hash = compare === 'hash' ? await wholeHash(reading) : undefined;
      const offer = { name, dir, size, mtime, mode, overwrite, hash };
      const answer = await this.#offer(peer, offer, timeout, signal);
      if (answer.kind !== 'go') return answer;
      return await this.#run(peer, path, reading, answer, options, timeout);
    } finally {
      await reading.close();
    }
  }

  /** Deletes a file that lies at a peer; resolves with whether it was there. Rejects with ERR_FILE_*. */
  async delete(peer: RuntimeId, name: string, dir: string, timeout = TIMEOUT_MS): Promise<boolean> {
    checkPath(dir, name);
    return this.#post.at(peer, FILES, { timeout }).delete(dir, name);
  }

  // Offers a file. If the caller gives up while the answer is on its way, the transfer that it begins is given up, too. FS3
  #offer(peer: RuntimeId, offer: FileOffer, timeout: number, signal: AbortSignal | undefined): Promise<OfferAnswer> {
    const answered = this.#post.at(peer, FILES, { timeout }).offer(offer);
    if (!signal) return answered;
    return new Promise((resolve, reject) => {
      const off = onAbort(signal, () => {
        const given = answered.then((answer) => (answer.kind === 'go' ? this.#give(peer, answer.transfer) : undefined));
        void this.#within(given.catch(() => {})).then(() => reject(signal.reason));
      });
      answered.then(
        (answer) => {
          off();
          if (!signal.aborted) resolve(answer);
        },
        (error: unknown) => {
          off();
          reject(error);
        },
      );
    });
  }

  // Resolves when the other end has nothing of the transfer any more.
  async #give(peer: RuntimeId, transfer: number): Promise<void> {
    if (this.#post.peers.has(peer))
      await this.#post
        .at(peer, FILES, { timeout: GIVE_MS })
        .give(transfer)
        .catch(() => {});
  }

  async #within(work: Promise<unknown>): Promise<void> {
    const late = new Deferred<void>();
    const timer = this.#environment.clock.after(GIVE_MS, () => late.resolve());
    await Promise.race([work, late.promise]);
    timer.cancel();
  }

  async #run(
    peer: RuntimeId,
    path: string,
    reading: Reading,
    go: OfferAnswer & { kind: 'go' },
    options: SendFileOptions,
    timeout: number,
  ): Promise<FileOutcome> {
    const { transfer, from } = go;
    const { size } = reading.stat;
    const key = `${peer} ${transfer}`;
    const sending = new Sending(this.#environment, timeout, options.signal);
    this.#sending.set(key, sending);
    try {
      const hash = createHash('sha256');
      await hashUpTo(hash, from, (buffer, at) => reading.read(buffer, at));
      let next = this.#read(reading, from);
      for (let at = from; at < size; ) {
        const { buffer, count } = await next;
        if (count === 0) throw new FlotillaError('ERR_FILE_CHANGED', `'${path}' became shorter while it was sent.`);
        next = this.#read(reading, at + count); // the next chunk is read while this one is hashed and sent
        next.catch(() => {}); // its error is thrown when that chunk's turn comes
        hash.update(buffer.subarray(HEAD, HEAD + count));
        await sending.room();
        this.#chunk(peer, transfer, buffer, count);
        sending.sent(count);
        at += count;
        options.onProgress?.({ bytes: at, total: size });
      }
      await sending.drained();
      const now = await this.#environment.files.stat(path);
      if (now?.isFile && (now.size !== size || now.mtime !== reading.stat.mtime))
        throw new FlotillaError('ERR_FILE_CHANGED', `'${path}' changed while it was sent.`);
      const digest = hash.digest('hex');
      await this.#post.at(peer, FILES, { timeout }).finish(transfer, digest);
      return { kind: 'sent', bytes: size - from, size, hash: digest };
    } catch (error) {
      const given = hasCode(error, 'ERR_SESSION_LOST') ? undefined : this.#give(peer, transfer);
      if (options.signal?.aborted) {
        await given; // FS3
        throw options.signal.reason;
      }
      throw fileError(`'${path}' cannot be sent`, error);
    } finally {
      sending.end();
      this.#sending.delete(key);
    }
  }

  async #read(reading: Reading, at: number): Promise<{ readonly buffer: Buffer; readonly count: number }> {
    const left = reading.stat.size - at;
    if (left <= 0) return { buffer: EMPTY, count: 0 };
    const buffer = this.#pool.pop() ?? Buffer.allocUnsafeSlow(HEAD + CHUNK);
    return { buffer, count: await reading.read(buffer.subarray(HEAD, HEAD + Math.min(CHUNK, left)), at) };
  }

  // Sends a chunk without copying it: the frame's head is written into the room that was left before the bytes.
  #chunk(peer: RuntimeId, transfer: number, buffer: Buffer, count: number): void {
    const head = new ByteWriter(Buffer.allocUnsafe(16));
    head.byte(KIND.FILE);
    head.varint(transfer);
    const start = HEAD - head.position - LENGTH_BYTES;
    buffer.writeUInt32BE(head.position + count, start);
    head.buffer.copy(buffer, start + LENGTH_BYTES, 0, head.position);
    const release = (): void => {
      if (this.#pool.length < AHEAD * 2) this.#pool.push(buffer);
    };
    this.#post.carrier.post(peer, { buffer, start, end: HEAD + count, frames: 1, release }, false);
  }
}

async function wholeHash(reading: Reading): Promise<string> {
  const hash = createHash('sha256');
  await hashUpTo(hash, reading.stat.size, (buffer, at) => reading.read(buffer, at));
  return hash.digest('hex');
}

/** One transfer under way: how far ahead of the receiver it is, and why it cannot go on. */
class Sending {
  readonly #environment: Environment;
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  #ahead = 0;
  #failure: unknown;
  #moved = new Deferred<void>().quiet();
  #timer: { cancel(): void } | undefined;
  readonly #onAbort = (): void => this.fail(this.#signal?.reason);

  constructor(environment: Environment, timeout: number, signal: AbortSignal | undefined) {
    this.#environment = environment;
    this.#timeout = timeout;
    this.#signal = signal;
    if (signal?.aborted) this.#failure = signal.reason;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  sent(bytes: number): void {
    this.#ahead += bytes;
  }

  took(bytes: number): void {
    this.#ahead -= bytes;
    const moved = this.#moved;
    this.#moved = new Deferred<void>().quiet();
    moved.resolve();
  }

  fail(error: unknown): void {
    this.#failure ??= error ?? new FlotillaError('ERR_ABORTED', 'The transfer was given up.');
    this.#moved.reject(this.#failure);
  }

  /** Resolves when the receiver has written enough for another chunk to be sent. FS1 */
  room(): Promise<void> {
    return this.#until(() => this.#ahead < CHUNK * AHEAD);
  }

  drained(): Promise<void> {
    return this.#until(() => this.#ahead === 0);
  }

  end(): void {
    this.#timer?.cancel();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  // Resolves when a condition holds; rejects if the receiver has moved nothing for the timeout. FS2
  async #until(holds: () => boolean): Promise<void> {
    if (this.#failure) throw this.#failure;
    while (!holds()) {
      this.#timer = this.#environment.clock.after(this.#timeout, () =>
        this.fail(new FlotillaError('ERR_TIMEOUT', `The receiver has taken nothing of the file for ${this.#timeout} ms.`)),
      );
      try {
        await this.#moved.promise;
      } finally {
        this.#timer.cancel();
      }
      if (this.#failure) throw this.#failure;
    }
  }
}
