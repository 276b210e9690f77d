// The place where a function runs, as the function sees it: its process, its machine, the files at hand.
import { pathToFileURL } from 'node:url';
import { FlotillaError } from '../../base/index.ts';
import type { FileOutcome, SendFileOptions } from '../files/contract.ts';

/** Options of `close` of a worker or host. */
export interface CloseOptions {
  /** True: running calls are interrupted, and killed after the grace period. False (the default): they may end by themselves. */
  readonly terminate?: boolean;
}

/** The process a function runs in. Functions of one client share `state` there, until it is restarted. */
export interface WorkerPlace {
  /** The name of the worker: `HOST/N` on a cluster. */
  readonly name: string;
  /** An object that functions share which share nothing else: the next one finds what one leaves here. */
  readonly state: Record<string, unknown>;
  /** Closes this worker when the calls that run there have ended, the caller included. Called `dispycos_close_server` in dispycos. */
  close(options?: CloseOptions & { readonly restart?: boolean }): Promise<void>;
}

/** The machine a function runs on, as far as its client has it. */
export interface HostPlace {
  readonly name: string;
  /** The value that the client's set-up of this host returned; large buffers in it are kept once and read only. */
  readonly data: unknown;
  /** The same, with the type of what `setUp` returns. */
  dataOf<R>(setUp: (...args: never[]) => R): Awaited<R>;
  /** Closes this host for the client. Called `dispycos_close_node` in dispycos. */
  close(options?: CloseOptions): Promise<void>;
}

/** The part of its place that every function can ask, whoever runs it. */
export interface Place {
  readonly worker: WorkerPlace;
  readonly host: HostPlace;
  /** The path of a file that was sent: looked for in the worker's folder, then the client's. Throws ERR_FILE_UNKNOWN. */
  file(name: string): string;
  /** Imports a module that was sent, or a package that is installed on the host. Rejects with ERR_FILE_UNKNOWN or the module's error. */
  import(name: string): Promise<unknown>;
  /** Sends a file to the client, or to the peer that `to` names. As `runtime.sendFile`. */
  sendFile(path: string, options?: SendFileOptions & { readonly to?: string }): Promise<FileOutcome>;
}

/** The place of a task in a runtime of its own, which is nobody's worker. */
export function ownPlace(name: () => string, file: (name: string) => string): Place {
  const nobody = (): Promise<never> =>
    Promise.reject(new FlotillaError('ERR_OPTION_INVALID', 'This is no worker of a client: close the runtime instead.'));
  return {
    worker: {
      get name() {
        return name();
      },
      state: {},
      close: nobody,
    },
    host: {
      get name() {
        return name();
      },
      data: undefined,
      dataOf: () => undefined as never,
      close: nobody,
    },
    file,
    import: (wanted) => Promise.resolve().then(() => import(pathToFileURL(file(wanted)).href)),
    sendFile: nobody,
  };
}

/** The error for a file that is in none of the places where it is looked for. */
export function fileUnknown(name: string, places: readonly string[]): FlotillaError {
  return new FlotillaError(
    'ERR_FILE_UNKNOWN',
    `There is no file '${name}': looked in ${places.join(', ')}. Send it with client.sendFile(), or name it among the 'components' of Client.connect().`,
  );
}
