// Finds the program of a worker process: beside this file as it was compiled, or in a folder of its own where all is bundled.
import { fileURLToPath } from 'node:url';

/** Whether this code was bundled; the build defines it. */
declare const BUNDLED: boolean | undefined;

/** The path of the program of a worker process. */
export function workerEntry(): string {
  const bundled = typeof BUNDLED !== 'undefined' && BUNDLED;
  return fileURLToPath(new URL(bundled ? './worker/main.js' : './main.js', import.meta.url));
}
