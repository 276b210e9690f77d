// The glossary: every class of src/ is one of its words.

const CLASS = /^export (?:abstract )?class (\w+)/;

/** Faults of the glossary: a class it does not explain, a word in code that is no class any more, a place that is gone. */
export function checkGlossary(files, text) {
  const words = new Set([...text.matchAll(/`([A-Z]\w+)`/g)].map(([, word]) => word));
  const classes = new Map(
    files.flatMap(({ name, lines }) => lines.flatMap((line) => (CLASS.exec(line)?.[1] ? [[CLASS.exec(line)[1], name]] : []))),
  );
  const paths = new Set(
    files.flatMap(({ name }) => [name.replace(/\.ts$/, ''), ...name.split('/').map((_, i, all) => `${all.slice(0, i).join('/')}/`)]),
  );
  const gone = [...text.matchAll(/`([a-z]+\/[a-z/-]*)`/g)]
    .map(([, path]) => path)
    .filter((path) => !paths.has(path) && !paths.has(`${path}/`));
  const missing = [...classes].filter(([word]) => !words.has(word));
  return [
    ...missing.map(([word, name]) => `docs/glossary.md  does not say what a ${word} is (src/${name})`),
    ...[...words].filter((word) => !classes.has(word)).map((word) => `docs/glossary.md  '${word}' is no class of src/ any more`),
    ...gone.map((path) => `docs/glossary.md  there is no src/${path}`),
  ];
}
