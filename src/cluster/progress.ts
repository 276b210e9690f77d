// How far a long job is: a bar on a terminal, a line now and then elsewhere.
import { createRequire } from 'node:module';
import type { Clock } from '../base/index.ts';

const LINE_MS = 2_000;
const REDRAW_PER_S = 10;

/** Shows progress on stderr until stopped. */
export function showProgress(options: { clock: Clock; label: string; total: number | undefined }): {
  update(done: number): void;
  stop(): void;
} {
  const { label, total, clock } = options;
  const stream = process.stderr;
  if (stream.isTTY && total !== undefined) {
    const { Presets, SingleBar } = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress'); // only terminals pay for it
    const color = !process.env['NO_COLOR'];
    const bar = new SingleBar(
      {
        format: `${label} ${color ? '\u001b[36m{bar}\u001b[0m' : '{bar}'} {percentage}% {value}/{total} {eta_formatted} left`,
        stream,
        fps: REDRAW_PER_S,
        hideCursor: false,
        stopOnComplete: false,
        clearOnComplete: false,
        noTTYOutput: false,
      },
      Presets.shades_classic,
    );
    bar.start(total, 0);
    return { update: (done) => bar.update(done), stop: () => bar.stop() };
  }
  const started = clock.now();
  let done = 0;
  let shown = -1;
  const say = (): void => {
    if (done === shown) return;
    shown = done;
    const seconds = ((clock.now() - started) / 1000).toFixed(1);
    stream.write(`${label}: ${done}${total === undefined ? '' : ` of ${total}`} done after ${seconds} s\n`);
  };
  let saidAt = started;
  return {
    update(now) {
      done = now;
      if (clock.now() - saidAt < LINE_MS) return;
      saidAt = clock.now();
      say();
    },
    stop: say,
  };
}
