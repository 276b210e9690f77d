// Names: one name, one thing. What rooms export as a type or a class is called by a name that no other file exports.

const EXPORTED = /^export (?:abstract |declare )?(?:class|interface|type) (\w+)/;

/** Faults of names: two files that export types of one name. */
export function checkNames(files) {
  const faults = [];
  const owners = new Map();
  for (const { name, lines } of files) {
    for (const [i, line] of lines.entries()) {
      const exported = EXPORTED.exec(line)?.[1];
      if (exported === undefined) continue;
      const owner = owners.get(exported);
      if (owner === undefined) owners.set(exported, name);
      else if (owner !== name) faults.push(`src/${name}:${i + 1}  '${exported}' is a name of src/${owner}: one name, one thing`);
    }
  }
  return faults;
}
