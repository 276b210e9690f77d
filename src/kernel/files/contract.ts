// The contract of file transfer: the file system that it needs, the words of its two ends, and the options that users give.
import type { RuntimeId } from '../../base/index.ts';

/** The size, time and mode of a file. */
export interface FileStat {
  readonly size: number;
  /** The time of the last change, in milliseconds since 1970. */
  readonly mtime: number;
  readonly mode: number;
  readonly isFile: boolean;
}

/** A file open for reading. */
export interface Reading {
  readonly stat: FileStat;
  /** Reads up to the buffer's length from a place; resolves with the number of bytes read. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** A file open for writing. */
export interface Writing {
  write(bytes: Uint8Array, position: number): Promise<void>;
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Cuts the file to its size, and gives it its time and mode. */
  finish(stat: { readonly size: number; readonly mtime: number; readonly mode: number }): Promise<void>;
  close(): Promise<void>;
}

/** A file system. Its errors have the system's codes (ENOENT, ENOSPC, ...). */
export interface Files {
  /** Resolves with undefined where there is nothing. Does not follow a last symbolic link. */
  stat(path: string): Promise<FileStat | undefined>;
  openToRead(path: string): Promise<Reading>;
  /** Makes the file, or goes on with it; never follows a symbolic link. */
  openToWrite(path: string): Promise<Writing>;
  makeFolder(path: string): Promise<void>;
  /** Resolves with the path without symbolic links. */
  real(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; resolves with whether there was one. */
  remove(path: string): Promise<boolean>;
  /** Removes a folder if it is empty; resolves with whether it was. */
  removeFolder(path: string): Promise<boolean>;
  list(path: string): Promise<readonly string[]>;
  /** Gives the folder where a runtime of this name keeps received files, unless told otherwise. */
  received(name: string): string;
}

/** The offer of a file, by its sender. */
export interface FileOffer {
  readonly name: string;
  readonly dir: string;
  readonly size: number;
  readonly mtime: number;
  readonly mode: number;
  readonly overwrite: boolean;
  /** The hash of the whole file, if it is to be compared by content with one that is there. */
  readonly hash: string | undefined;
}

/** The answer of a receiver to an offer. */
export type OfferAnswer =
  | { readonly kind: 'present' }
  | { readonly kind: 'differs'; readonly stat: FileStat }
  | { readonly kind: 'go'; readonly transfer: number; readonly from: number };

/** The notices of a receiver while bytes come. */
export type ReceiverNotice =
  | { readonly kind: 'took'; readonly transfer: number; readonly bytes: number }
  | { readonly kind: 'failed'; readonly transfer: number; readonly error: Error };

/** Takes the bytes of files that are sent to a runtime. */
export interface FileData {
  /** Takes bytes, which are valid during the call only. */
  arrived(peer: RuntimeId, transfer: number, bytes: Buffer): void;
  /** Gives memory for so many bytes that are arriving, to be read straight into it; undefined if `arrived` is to take them. */
  land(peer: RuntimeId, transfer: number, bytes: number): Buffer | undefined;
  /** Hears that the bytes for which `land` gave memory are there. */
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
  /** The way to tell whether the same file is there: by size, time and mode (the default), or by content. */
  readonly compare?: 'stat' | 'hash';
  /** Rejects with ERR_TIMEOUT when nothing has moved for so many milliseconds; 30000 by default. */
  readonly timeout?: number;
  /** Ends the transfer: it rejects with the signal's reason when nothing is left at the receiver. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly bytes: number; readonly total: number }) => void;
}

/** The outcome of sending a file. */
export type FileOutcome =
  /** The file is there now, and its hash is right. `bytes` were sent: fewer than `size` if an earlier transfer was resumed. */
  | { readonly kind: 'sent'; readonly bytes: number; readonly size: number; readonly hash: string }
  /** The same file was there before; nothing was sent. */
  | { readonly kind: 'present' }
  /** Another file of that name is there, and `overwrite` was not given. */
  | { readonly kind: 'differs'; readonly stat: FileStat };
