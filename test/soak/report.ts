// What the soak shows: a line while it runs, and tables at the end.
import type { Ledger } from './ledger.ts';
import type { Sample } from './running.ts';

const HOUR_MS = 3_600_000;
/** The slope is of the second half; a shorter one says nothing. */
const LEAST_SAMPLES = 6;

/** What one long-lived process held. */
export interface Life {
  readonly name: string;
  readonly samples: readonly Sample[];
}

const MEASURES = [
  ['RSS MiB', (sample: Sample) => sample.rssKiB / 1024],
  ['heap MiB', (sample: Sample) => (sample.heapKiB === undefined ? undefined : sample.heapKiB / 1024)],
  ['buffers MiB', (sample: Sample) => (sample.externalKiB === undefined ? undefined : sample.externalKiB / 1024)],
  ['descriptors', (sample: Sample) => sample.descriptors],
  ['threads', (sample: Sample) => sample.threads],
  ['timers', (sample: Sample) => sample.timers],
] as const;

/** By how much the end may be above the start, when all clients have gone. */
const MOST_MORE: Readonly<Record<string, number>> = { descriptors: 12, threads: 4, timers: 20, 'heap MiB': 24 };

/** The slope per hour by least squares over the second half of the samples; undefined where those are too few. */
export function slopeOf(points: readonly (readonly [atMs: number, value: number])[]): number | undefined {
  const middle = ((points[0]?.[0] ?? 0) + (points.at(-1)?.[0] ?? 0)) / 2;
  const half = points.filter(([at]) => at >= middle);
  if (half.length < LEAST_SAMPLES) return undefined;
  const meanAt = half.reduce((sum, [at]) => sum + at, 0) / half.length;
  const mean = half.reduce((sum, [, value]) => sum + value, 0) / half.length;
  const spread = half.reduce((sum, [at]) => sum + (at - meanAt) ** 2, 0);
  return (half.reduce((sum, [at, value]) => sum + (at - meanAt) * (value - mean), 0) / spread) * HOUR_MS;
}

/** What a process holds at the end beyond what it held at the start: sentences. */
export function kept(lives: readonly Life[]): string[] {
  return lives.flatMap(({ name, samples }) =>
    MEASURES.flatMap(([measure, of]) => {
      const first = samples[0] && of(samples[0]);
      const last = samples.at(-1);
      const end = last && of(last);
      const most = MOST_MORE[measure];
      if (first === undefined || end === undefined || most === undefined || end - first <= most) return [];
      return [`${name} holds ${round(end)} ${measure} after all clients have gone; at the start it was ${round(first)}`];
    }),
  );
}

/** The tables of a soak that has ended. */
export function tables(ledger: Ledger, lives: readonly Life[]): string {
  const rows = lives.flatMap(({ name, samples }) =>
    MEASURES.map(([measure, of]) => {
      const points = samples.flatMap((sample) => {
        const value = of(sample);
        return value === undefined ? [] : [[sample.atMs, value] as const];
      });
      const slope = slopeOf(points);
      const most = Math.max(...points.map(([, value]) => value));
      return [name, measure, ...[points[0]?.[1], points.at(-1)?.[1], most].map(round), slope === undefined ? '-' : round(slope)];
    }),
  );
  const pairs = (of: ReadonlyMap<string, number>): string[][] => [...of].map(([name, count]) => [name, count.toLocaleString('en')]);
  return [
    table(['action', 'times'], pairs(ledger.actions)),
    table(['checked and right', 'count'], pairs(ledger.checked)),
    table(['process', 'what', 'start', 'end', 'most', 'slope / h'], rows),
  ].join('\n');
}

/** One line: how far it is. */
export function progressOf(ledger: Ledger, seconds: number, seed: number, clients: number): string {
  const actions = [...ledger.actions.values()].reduce((sum, count) => sum + count, 0);
  const at = (s: number): string => `${String(Math.floor(s / 60)).padStart(2, '0')}:${String(Math.floor(s % 60)).padStart(2, '0')}`;
  const broken = ledger.broken.length === 0 ? 'nothing broken' : `${ledger.broken.length} BROKEN`;
  return `soak ${at(ledger.elapsedMs / 1_000)} of ${at(seconds)} | seed ${seed} | ${actions} actions | ${ledger.results.toLocaleString('en')} results | ${clients} clients | ${broken}`;
}

function round(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return `${line(head)}${line(widths.map((width) => '-'.repeat(width)))}${rows.map(line).join('')}`;
}
