// The place of a worker, as a function that runs there sees it.
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RuntimeId } from '../../base/index.ts';
import { importFrom, installPackage, packageName } from '../../code/index.ts';
import type { WorkerConfig } from '../../host/index.ts';
import { type FileSender, fileUnknown, type Place, type Post } from '../../kernel/index.ts';
import { CALLER } from '../protocol.ts';

/** The place of a worker. `client` tells the client that it works for. */
export function workerPlace(options: {
  readonly post: Post;
  readonly config: WorkerConfig;
  readonly sender: FileSender;
  readonly client: () => RuntimeId;
  readonly data: () => unknown;
}): Place {
  const { post, config, sender, client } = options;
  const folders = [config.cwd, config.folder];
  const find = (name: string): string | undefined =>
    isAbsolute(name)
      ? existsSync(name)
        ? name
        : undefined
      : folders.map((folder) => resolve(folder, name)).find((path) => existsSync(path));
  let data: { readonly value: unknown } | undefined;
  const read = (): unknown => {
    data ??= { value: options.data() };
    return data.value;
  };
  return {
    worker: {
      name: config.name,
      state: {},
      close: ({ terminate = false, restart = false } = {}) => post.at(client(), CALLER).closeWorker({ terminate, restart }),
    },
    host: {
      name: config.host,
      get data() {
        return read();
      },
      dataOf: () => read() as never,
      close: ({ terminate = false } = {}) => post.at(client(), CALLER).closeHost({ terminate }),
    },
    file(name) {
      const path = find(name);
      if (path !== undefined) return path;
      throw fileUnknown(name, folders);
    },
    async import(name) {
      const path = find(name);
      if (path !== undefined) return import(pathToFileURL(path).href);
      if (/^(\.{0,2}\/|file:)/.test(name)) throw fileUnknown(name, folders);
      await installPackage(config.folder, packageName(name), config.packages);
      return importFrom(config.folder, name);
    },
    sendFile: (path, { to, ...rest } = {}) => sender.send((to as RuntimeId | undefined) ?? client(), resolve(config.cwd, path), rest),
  };
}
