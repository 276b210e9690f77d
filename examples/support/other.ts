// Runs the same example in a second process, as another role, and ends it with the first.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Starts this program again with a role; resolves with its first line. `using` or the end of this process ends it. */
export async function startOther(url: string, role: string): Promise<Disposable & { readonly line: string }> {
  const flotilla = fileURLToPath(new URL('../../bin/flotilla.js', import.meta.url));
  const child = spawn(process.execPath, [flotilla, 'run', fileURLToPath(url), role], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('exit', (code) => reject(new Error(`the other process ended with ${code}`)));
  });
  child.unref();
  return { line, [Symbol.dispose]: () => void child.kill() };
}
