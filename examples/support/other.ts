// Runs the same example in a second process, as another role, and ends it with the first.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// The process that is started ends with the one that started it, however that ends.
if (process.env['EXAMPLE_STARTED'] === 'yes') {
  process.stdin.on('end', () => process.exit()).resume();
  process.stdout.on('error', () => process.exit());
}

/** Starts this program again with a role; resolves with its first line. `using` or the end of this process ends it. */
export async function startOther(url: string, role: string): Promise<Disposable & { readonly line: string }> {
  const flotilla = fileURLToPath(new URL('../../bin/flotilla.js', import.meta.url));
  const child = spawn(process.execPath, [flotilla, 'run', fileURLToPath(url), role], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, EXAMPLE_STARTED: 'yes' },
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('exit', (code) => reject(new Error(`the other process ended with ${code}`)));
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  (child.stdout as unknown as { unref(): void }).unref();
  return { line, [Symbol.dispose]: () => void child.stdin.end() };
}
