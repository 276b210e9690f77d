// What src/ consists of, read once: each file's text, lines and imports, those of types apart.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const IMPORT = /(?:^|[\s;}])(import|export)\s+(type\s)?[^'"`;]*?\bfrom\s*['"](\.[^'"]+)['"]|\bimport\s*\(?\s*['"](\.[^'"]+)['"]/gm;

/** The TypeScript files under `src`, by name. */
export function readHouse(src) {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => {
      const name = relative(src, path);
      const text = readFileSync(path, 'utf8');
      const imports = [...text.matchAll(IMPORT)].map((match) => ({
        target: relative(src, resolve(dirname(path), match[3] ?? match[4])),
        types: match[2] !== undefined,
        line: text.slice(0, match.index + match[0].length).split('\n').length,
      }));
      return { name, room: name.split('/')[0], text, lines: text.split('\n'), imports };
    });
}

/** A line that is code, not a comment. */
export const isCode = (line) => !/^\s*(\/\/|\*|\/\*)/.test(line);
