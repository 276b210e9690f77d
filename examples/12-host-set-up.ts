// Each host gets a file of its own and is set up with it, once; all its workers read the same data. (dispycos_client9_node)
//
//   npx flotilla run examples/12-host-set-up.ts
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, here, setUp } from 'flotilla';

// Runs in a process of its own, before any worker of this client on the host. What it returns is host.data there.
async function loadTable(file: string): Promise<{ table: Float64Array; name: string }> {
  const { readFile } = await import('node:fs/promises');
  const numbers = (await readFile(here().file(file) ?? '', 'utf8')).split(',').map(Number);
  return { table: Float64Array.from(numbers), name: file };
}

function lookUp(index: number): string {
  const { table, name } = here().host.dataOf(loadTable); // typed by what loadTable returns
  return `${name}[${index}] = ${table[index]}`;
}

const folder = mkdtempSync(join(tmpdir(), 'flotilla-example-'));
writeFileSync(join(folder, 'table.csv'), '2,3,5,7,11');
// Hosts wait until they are enabled: first they are sent what they need. Windows is left out.
const client = await Client.connect({
  workers: 2,
  disableHosts: true,
  hostSetUp: setUp(loadTable, 'none.csv'),
  hosts: [{ platform: '^(linux|darwin)' }],
});
for await (const event of client.events()) {
  if (event.kind === 'host-discovered') {
    await client.sendFile(event.host, join(folder, 'table.csv'));
    client.enableHost(event.host, 'table.csv'); // these arguments instead of those above
  }
  if (event.kind === 'host-initialized') break;
}
for await (const line of client.map(lookUp, [0, 2, 4])) console.log(line);
await client.close();
rmSync(folder, { recursive: true });
// prints: table.csv[0] = 2
// prints: table.csv[2] = 5
// prints: table.csv[4] = 11
