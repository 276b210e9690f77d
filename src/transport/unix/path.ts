// What the system calls a socket's path.

/** The path of a unix socket, or the name of a pipe on Windows. */
export function systemPath(path: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\flotilla${path.replaceAll('/', '-')}` : path;
}
