// Colours for people. This is the one place that knows when there are none.
import { styleText } from 'node:util';

/** The colour or style of a text. */
export type Paint = Parameters<typeof styleText>[0];

/** Paints a text, if the stream shows colours: on a terminal, unless NO_COLOR; elsewhere only with FORCE_COLOR. */
export function paint(stream: NodeJS.WritableStream, how: Paint, text: string): string {
  return styleText(how, text, { stream });
}
