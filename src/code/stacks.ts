// Translates stacks from workers into the user's own files and lines.

import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { originalPositionFor } from '@jridgewell/trace-mapping';
import type { Unit } from './unit.ts';

const PLACE = /\/code\/([mp][0-9a-f]{16})\.mjs(?::(\d+):(\d+))?/g;
const BOUND = /[\s()]/;

/** Text with each place in a unit replaced by the place in the file that the unit comes from. Takes time in proportion to the text. */
export function mapStack(text: string, find: (name: string) => Unit | undefined): string {
  let mapped = '';
  let done = 0;
  for (const match of text.matchAll(PLACE)) {
    const [whole, name = '', line, column] = match;
    const unit = find(name);
    if (!unit) continue;
    let start = match.index;
    while (start > done && !BOUND.test(text.charAt(start - 1))) start--; // back over the folder in front
    mapped += text.slice(done, start) + placeIn(unit, line, column);
    done = match.index + whole.length;
  }
  return done === 0 ? text : mapped + text.slice(done);
}

function placeIn(unit: Unit, line: string | undefined, column: string | undefined): string {
  if (line === undefined || column === undefined) return unit.file;
  let at = { line: Number(line), column: Number(column) - 1 };
  let file = unit.file;
  for (const map of unit.maps) {
    const original = originalPositionFor(map, at);
    if (original.line === null || original.column === null) break;
    at = { line: original.line, column: original.column };
    if (original.source) file = sourceFile(original.source, unit.file);
  }
  return `${file}:${at.line}:${at.column + 1}`;
}

function sourceFile(source: string, file: string): string {
  if (source.startsWith('file:')) return fileURLToPath(source);
  return isAbsolute(source) ? source : resolve(dirname(file), source);
}
