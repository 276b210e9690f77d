// Circles of files: none at run time, none of more than two with types counted.

const MOST_WITH_TYPES = 2;

/** Faults of circles, each named by its files. */
export function checkCircles(files) {
  const faults = [];
  const graph = (withTypes) =>
    new Map(files.map(({ name, imports }) => [name, imports.filter(({ types }) => withTypes || !types).map(({ target }) => target)]));
  for (const circle of circlesOf(graph(false))) faults.push(`src/${circle[0]}  is in a circle of files at run time (${circle.join(', ')})`);
  for (const circle of circlesOf(graph(true)))
    if (circle.length > MOST_WITH_TYPES)
      faults.push(`src/${circle[0]}  is in a circle of more than two files, types counted (${circle.join(', ')})`);
  return faults;
}

/** The strongly connected sets of more than one file (Tarjan's algorithm), each in order of name. */
export function circlesOf(graph) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const waiting = new Set();
  const circles = [];
  const visit = (name) => {
    index.set(name, index.size);
    low.set(name, index.get(name));
    stack.push(name);
    waiting.add(name);
    for (const next of graph.get(name) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) {
        visit(next);
        low.set(name, Math.min(low.get(name), low.get(next)));
      } else if (waiting.has(next)) low.set(name, Math.min(low.get(name), index.get(next)));
    }
    if (low.get(name) !== index.get(name)) return;
    const circle = [];
    let last;
    do {
      last = stack.pop();
      waiting.delete(last);
      circle.push(last);
    } while (last !== name);
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const name of graph.keys()) if (!index.has(name)) visit(name);
  return circles.sort((a, b) => b.length - a.length);
}
