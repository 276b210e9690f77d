// Shows how far a long job is: by a bar on a terminal, by a line now and then elsewhere.
import type { Clock } from '../../base/index.ts';
import { addBar } from '../terminal/bars.ts';

const LINE_MS = 2_000;

/** Shows progress on stderr until stopped. */
export function showProgress(options: { clock: Clock; label: string; total: number | undefined }): {
  update(done: number): void;
  stop(): void;
} {
  const { label, total, clock } = options;
  const stream = process.stderr;
  if (stream.isTTY && total !== undefined) return addBar(clock, label, total);
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
