// Processes of tests: started, read, and gone at the end.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the package. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const BIN = join(ROOT, 'bin', 'flotilla.js');
/** What programs in a folder elsewhere import as 'flotilla'. */
export const FLOTILLA = join(ROOT, 'dist', 'lib', 'index.js');

/** A folder that goes with the test. */
export function tempFolder(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A process whose output can be waited for. */
export class Program {
  readonly child: ChildProcess;
  output = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #wake: (() => void)[] = [];

  constructor(
    args: readonly string[],
    options: { env?: Record<string, string>; cwd?: string; input?: 'ignore' | 'pipe'; node?: string; uid?: number; gid?: number } = {},
  ) {
    this.child = spawn(options.node ?? process.execPath, [...args], {
      cwd: options.cwd ?? ROOT,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: [options.input ?? 'ignore', 'pipe', 'pipe'],
      ...idsOf(options),
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.output += text;
        for (const wake of this.#wake.splice(0)) wake();
      });
    }
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        resolve({ code, signal });
        for (const wake of this.#wake.splice(0)) wake();
      }),
    );
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Resolves with the match once the output has it. */
  async until(pattern: RegExp, ms = 60_000): Promise<RegExpExecArray> {
    const end = Date.now() + ms;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      const left = end - Date.now();
      if (left <= 0 || this.child.exitCode !== null) throw new Error(`no ${pattern} in what was printed:\n${this.output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 250));
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }
}

/** Starts a program that is killed when the test ends. */
export function start(
  t: { after(fn: () => unknown): void },
  args: readonly string[],
  options?: ConstructorParameters<typeof Program>[1],
): Program {
  const program = new Program(args, options);
  t.after(async () => {
    program.kill();
    await program.exited;
  });
  return program;
}

/** Runs a program to its end. */
export function runToEnd(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; timeout?: number; node?: string; uid?: number; gid?: number } = {},
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(options.node ?? process.execPath, [...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...cleanEnvironment(), ...options.env },
    encoding: 'utf8',
    timeout: options.timeout ?? 60_000,
    ...idsOf(options),
  });
  return { code: status, stdout, stderr };
}

/** Writes a file of a test's program. */
export function writeProgram(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Sends a signal; whether the process was still there: one that was listed a moment ago may have ended by itself. */
export function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The processes whose environment has this mark: ours and all that came of them. */
export function marked(mark: string): { pid: number; title: string }[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,stat=,args=', 'e', '-ww'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return stdout
    .split('\n')
    .filter((line) => line.includes(`FLOTILLA_TEST_MARK=${mark}`))
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match && !match[2]?.startsWith('Z') ? [{ pid: Number(match[1]), title: (match[3] ?? '').slice(0, 80) }] : []));
}

/** Resolves when no marked process is left; rejects with those that are. */
export async function untilNoneMarked(mark: string, ms: number): Promise<number> {
  const started = Date.now();
  let left = marked(mark);
  while (left.length > 0) {
    if (Date.now() - started > ms) throw new Error(`still there after ${ms} ms: ${left.map((p) => `${p.pid} ${p.title}`).join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
    left = marked(mark);
  }
  return Date.now() - started;
}

function idsOf({ uid, gid }: { uid?: number; gid?: number }): { uid?: number; gid?: number } {
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const {
    NODE_TEST_CONTEXT: _context,
    NODE_OPTIONS: _options,
    FLOTILLA_SCHEDULER: _scheduler,
    FLOTILLA_SECRET: _secret,
    ...rest
  } = process.env;
  return { ...rest, FLOTILLA_SCHEDULER: 'local' }; // what tests start looks for nobody on this machine's network
}
