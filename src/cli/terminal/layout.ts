// Lays out text for people: tables and paragraphs that fit the terminal they are read on.
import { Help } from 'commander';

/** A column: its title, and how much it matters: the greater the rank, the sooner it is left out; 0 never. */
export type Column = readonly [title: string, rank: number];

const GAP = 2;
const READABLE_CELL = 20;
const LEAST_CELL = 10;
const LEAST_PARAGRAPH = 20;

/** The greatest width of a printed line: that of the terminal; in a pipe or file, any. */
export function width(stream: NodeJS.WriteStream = process.stdout): number {
  return stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY;
}

/** A table with a head. Where it is too wide, long texts are cut, then columns that matter less are left out. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], none: string, most = width()): string {
  if (rows.length === 0) return none;
  const all = [columns.map(([title]) => title), ...rows];
  let shown = columns.map((_, i) => i).filter((i) => i === 0 || all.some((row) => row[i] !== ''));
  let longest = Number.POSITIVE_INFINITY;
  const natural = (i: number): number => Math.max(...all.map((row) => (row[i] ?? '').length));
  const widthOf = (i: number): number => Math.min(longest, natural(i));
  const needed = (): number => shown.reduce((sum, i) => sum + widthOf(i) + GAP, -GAP);
  const rank = (i: number): number => columns[i]?.[1] ?? 0;
  if (needed() > most) longest = READABLE_CELL;
  while (needed() > most && shown.some((i) => rank(i) > 0)) {
    const least = shown.reduce((a, b) => (rank(b) >= rank(a) ? b : a));
    shown = shown.filter((i) => i !== least);
  }
  while (needed() > most && longest > LEAST_CELL) longest--;
  let spare = most - needed();
  const widths = shown.map((i) => {
    const more = Math.max(0, Math.min(spare, natural(i) - widthOf(i)));
    spare -= more;
    return widthOf(i) + more;
  });
  const line = (row: readonly string[]): string =>
    shown.map((i, at) => cut(row[i] ?? '', widths[at] ?? 0).padEnd(widths[at] ?? 0)).join(' '.repeat(GAP));
  return all.map((row) => line(row).trimEnd()).join('\n');
}

/** A paragraph of one line, broken between words where the terminal ends; lines after the first are indented. */
export function hang(text: string, indent: number, most = width()): string {
  if (!Number.isFinite(most) || text.includes('\n')) return text;
  const help = new Help();
  help.minWidthToWrap = LEAST_PARAGRAPH;
  const lead = text.length - text.trimStart().length;
  const broken = help.boxWrap(text.trimStart(), most - 1 - indent);
  return ' '.repeat(lead) + broken.replaceAll('\n', `\n${' '.repeat(indent)}`);
}

/** The first lines, as many as a terminal has room for; the last of them says how many more there are. */
export function cropped(lines: readonly string[], rows: number): readonly string[] {
  return lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `... ${lines.length - rows + 1} more lines: flotilla status`];
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
