// What file transfer needs of a file system, what its two ends say to each other, and what a runtime needs of it.
import type { RuntimeId } from '../../base/index.ts';

/** What is told of a file. */
export interface FileStat {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  readonly mode: number;
  readonly isFile: boolean;
}

/** A file open for reading. */
export interface Reading {
  readonly stat: FileStat;
  /** Reads up to the buffer's length from a place; how many bytes there were. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** A file open for writing. */
export interface Writing {
  write(bytes: Uint8Array, position: number): Promise<void>;
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Cuts it to so many bytes and gives it its time and mode. */
  finish(stat: { readonly size: number; readonly mtime: number; readonly mode: number }): Promise<void>;
  close(): Promise<void>;
}

/** A file system. Its errors have the system's codes (ENOENT, ENOSPC, ...). */
export interface Files {
  /** Undefined where there is nothing. Does not follow a last symbolic link. */
  stat(path: string): Promise<FileStat | undefined>;
  openToRead(path: string): Promise<Reading>;
  /** Makes the file, or goes on with it; never follows a symbolic link. */
  openToWrite(path: string): Promise<Writing>;
  makeFolder(path: string): Promise<void>;
  /** The path with all symbolic links resolved. */
  real(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  /** Whether there was a file. */
  remove(path: string): Promise<boolean>;
  /** Removes a folder if it is empty; whether it was. */
  removeFolder(path: string): Promise<boolean>;
  list(path: string): Promise<readonly string[]>;
  /** Where a runtime of this name keeps what it receives, unless told otherwise. */
  received(name: string): string;
}

/** What a sender says of a file. */
export interface FileOffer {
  readonly name: string;
  readonly dir: string;
  readonly size: number;
  readonly mtime: number;
  readonly mode: number;
  readonly overwrite: boolean;
  /** Compares with what is there by content: the hash of the whole. */
  readonly hash: string | undefined;
}

/** What a receiver says to an offer. */
export type OfferAnswer =
  | { readonly kind: 'present' }
  | { readonly kind: 'differs'; readonly stat: FileStat }
  | { readonly kind: 'go'; readonly transfer: number; readonly from: number };

/** What a receiver says while bytes come. */
export type ReceiverNotice =
  | { readonly kind: 'took'; readonly transfer: number; readonly bytes: number }
  | { readonly kind: 'failed'; readonly transfer: number; readonly error: Error };

/** Takes the bytes of files that are sent to a runtime. */
export interface FileData {
  /** They are valid during the call. */
  arrived(peer: RuntimeId, transfer: number, bytes: Buffer): void;
  /** Where so many bytes belong that are arriving; undefined: nowhere, they are to be taken by `arrived`. */
  land(peer: RuntimeId, transfer: number, bytes: number): Buffer | undefined;
  /** They are there. */
  landed(peer: RuntimeId, transfer: number): void;
}

/** Options of `runtime.sendFile`. */
export interface SendFileOptions {
  /** The folder at the receiver, relative to its directory for received files; that directory itself by default. */
  readonly dir?: string;
  /** The name there; by default that of the file here. */
  readonly name?: string;
  /** Replaces a file that is there and differs. False by default. */
  readonly overwrite?: boolean;
  /** How files are told apart: by size, time and mode (the default), or by content. */
  readonly compare?: 'stat' | 'hash';
  /** Rejects with ERR_TIMEOUT when nothing has moved for so many milliseconds; 30000 by default. */
  readonly timeout?: number;
  /** Ends the transfer: it rejects with the signal's reason when nothing is left at the receiver. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly bytes: number; readonly total: number }) => void;
}

/** What came of sending a file. */
export type FileOutcome =
  /** It is there now, and its hash is right. `bytes` were sent; fewer than its size if it was gone on with. */
  | { readonly kind: 'sent'; readonly bytes: number; readonly size: number; readonly hash: string }
  /** The same file was there before; nothing was sent. */
  | { readonly kind: 'present' }
  /** Another file of that name is there, and `overwrite` was not given. */
  | { readonly kind: 'differs'; readonly stat: FileStat };
