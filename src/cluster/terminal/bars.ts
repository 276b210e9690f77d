// The bars of the jobs of one terminal, one below the other.
import { createRequire } from 'node:module';
import type { GenericFormatter, MultiBar, SingleBar } from 'cli-progress';
import { type Clock, paint } from '../../base/index.ts';
import { Footer } from './footer.ts';

const REDRAW_PER_S = 10;
const ETA_OVER = 50;
const MOST_BAR = 40;
const LEAST_BAR = 6;

/** A bar that is shown. */
export interface Bar {
  update(done: number): void;
  stop(): void;
}

// Stands in for a terminal: gathers the lines that cli-progress draws, so that the footer can write them.
class Lines {
  drawn: string[] = [''];
  readonly isTTY = (): boolean => true;
  readonly getWidth: () => number;

  constructor(width: () => number) {
    this.getWidth = width;
  }

  cursorRelativeReset(): void {
    this.drawn = [''];
  }

  newline(): void {
    this.drawn.push('');
  }

  write(text: string): void {
    this.drawn[this.drawn.length - 1] = text;
  }

  cursorTo(): void {}
  clearRight(): void {}
  clearBottom(): void {}
}

interface Shown {
  readonly bars: MultiBar;
  readonly footer: Footer;
  readonly lines: Lines;
  /** The bars that are shown, from top to bottom. */
  readonly order: SingleBar[];
}

// The bars are known by a global symbol: a program may load several copies of this code, but its terminal has one bottom.
const BARS = Symbol.for('flotilla.bars');

/** Adds a bar to the bottom of the terminal that stderr is. */
export function addBar(clock: Clock, label: string, total: number): Bar {
  const { stdout } = process;
  const stderr: NodeJS.WriteStream & { [BARS]?: Shown } = process.stderr;
  stderr[BARS] ??= open(stdout.isTTY ? [stderr, stdout] : [stderr], clock);
  const { bars, footer, lines, order } = stderr[BARS];
  const bar = bars.create(total, 0, { label });
  order.push(bar);
  bars.update();
  return {
    update: (done) => bar.update(done),
    stop() {
      const at = order.indexOf(bar);
      if (at < 0) return;
      bar.stop();
      bars.update();
      const last = lines.drawn[at];
      order.splice(at, 1);
      if (order.length === 0) {
        delete stderr[BARS];
        bars.removeAllListeners().stop();
        return footer.end();
      }
      bars.remove(bar);
      stderr.write(`${last}\n`); // above the bars that go on
    },
  };
}

function open(streams: [NodeJS.WriteStream, ...NodeJS.WriteStream[]], clock: Clock): Shown {
  const { MultiBar, Presets } = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress'); // loaded here, so that only programs on terminals pay for it
  const footer = new Footer(streams, clock);
  const lines = new Lines(() => footer.columns);
  const how = { terminal: lines, fps: REDRAW_PER_S, linewrap: true, forceRedraw: true, etaBuffer: ETA_OVER, hideCursor: false, format };
  const bars = new MultiBar(how, Presets.shades_classic);
  bars.on('update-post', () => footer.show([...lines.drawn]));
  return { bars, footer, lines, order: [] };
}

/** The text of a bar, no wider than the terminal: what matters least goes first where there is no room. */
export const format: GenericFormatter = (options, { progress, eta, startTime, stopTime, total, value, maxWidth }, payload) => {
  const label = short(String((payload as { label: string }).label), Math.max(8, Math.floor(maxWidth / 3)));
  const percent = `${Math.floor(progress * 100)} %`;
  const time =
    stopTime === null
      ? Number.isFinite(Number(eta)) && value > 0
        ? `${duration(Number(eta))} left`
        : ''
      : `in ${duration((stopTime - startTime) / 1000)}`;
  const texts = [percent, `${value}/${total}`, time].filter((text) => text !== '');
  for (; ; texts.pop()) {
    const room = maxWidth - 1 - [label, ...texts].join(' ').length - 1;
    if (room < LEAST_BAR && texts.length > 1) continue;
    const size = Math.min(MOST_BAR, room);
    if (size < LEAST_BAR) return [label, ...texts].join(' ').slice(0, maxWidth - 1);
    const full = Math.round(Math.min(1, progress) * size);
    const bar = `${(options.barCompleteChar ?? '=').repeat(full)}${(options.barIncompleteChar ?? '-').repeat(size - full)}`;
    return [label, paint(process.stderr, 'cyan', bar), ...texts].join(' ');
  }
};

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
