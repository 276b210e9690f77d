// Programs on a terminal of a known size, and what their user sees there.
import { spawnSync } from 'node:child_process';
import { BIN, Program } from './processes.ts';

/** Whether this system can give a program a terminal. */
export const HAS_TERMINALS = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs a shell's line on a terminal of so many columns; what is written to its input is typed. */
export function onTerminal(
  t: { after(fn: () => unknown): void },
  line: string,
  { columns, env }: { columns: number; env?: Record<string, string> },
): Program {
  const shell = `stty cols ${columns} rows 40 -echo; ${line}`;
  const program = new Program(['-qefc', shell, '/dev/null'], {
    node: 'script',
    input: 'pipe',
    env: { SHELL: '/bin/bash', TERM: 'xterm-256color', NO_COLOR: '', ...env },
  });
  t.after(async () => {
    program.kill();
    await program.exited;
  });
  return program;
}

/** The line that runs a verb of ours. */
export function flotillaLine(...args: readonly string[]): string {
  return [process.execPath, BIN, ...args].map(quote).join(' ');
}

const CODE = '\u001b\\[\\??(\\d*)(?:;\\d*)*([A-Za-z])';
const PART = new RegExp(`${CODE}|[\\s\\S]`, 'gu');

/** What was printed, without what tells the terminal how. */
export function withoutCodes(printed: string): string {
  return printed.replaceAll(new RegExp(CODE, 'g'), '');
}

/** The rows of a terminal of so many columns after this was printed to it: what moves the cursor, erases and wraps is understood. */
export function screenOf(printed: string, columns: number): string[] {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  const put = (character: string): void => {
    if (column >= columns) {
      row++;
      column = 0;
    }
    while (rows.length <= row) rows.push([]);
    const cells = rows[row] as string[];
    while (cells.length < column) cells.push(' ');
    cells[column++] = character;
  };
  for (const [part, ...code] of printed.matchAll(PART)) {
    const [count, letter] = code;
    if (part === '\r') column = 0;
    else if (part === '\n') {
      row++;
      while (rows.length <= row) rows.push([]);
    } else if (letter === undefined) put(part);
    else if (letter === 'A') row = Math.max(0, row - Number(count || 1));
    else if (letter === 'H') row = column = 0;
    else if (letter === 'J' && count === '2') rows.splice(0, rows.length, []);
    else if (letter === 'J') {
      rows.splice(row + 1);
      (rows[row] as string[]).splice(column);
    } else if (letter === 'K') (rows[row] as string[]).splice(column);
  }
  return rows.map((cells) => cells.join('').trimEnd());
}
