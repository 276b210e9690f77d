// The titles of our processes in lists of processes.
//
// They have no spaces: programs that read /proc/PID/stat by its fields, as batch systems do to end what they started, stumble over them.

/** The title of a daemon or worker. */
export function titleOf(kind: 'host' | 'worker' | 'scheduler', name?: string): string {
  return `flotilla-${kind}${name === undefined ? '' : `:${name.replace(/\s+/g, '-')}`}`;
}

/** Names this process. The system cuts titles to the length of what the process was started with. */
export function setTitle(kind: 'host' | 'worker' | 'scheduler', name?: string): void {
  process.title = titleOf(kind, name);
}

/** An argument that makes room for the title of a worker. */
export const WORKER_ARGUMENT: string = titleOf('worker').padEnd(128, '-');
