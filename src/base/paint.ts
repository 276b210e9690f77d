// Colours for people: the one place that knows when there are none.
import { styleText } from 'node:util';

/** How a text is painted: what its colour says. */
export type Paint = Parameters<typeof styleText>[0];

/** The text in a colour, if the stream shows colours: on a terminal, unless NO_COLOR; elsewhere only with FORCE_COLOR. */
export function paint(stream: NodeJS.WritableStream, how: Paint, text: string): string {
  return styleText(how, text, { stream });
}
