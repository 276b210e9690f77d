// Lines over a socket, with a checksum at both ends.
//
//   npx flotilla run examples/05-line-stream.ts
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Runtime, type Task } from 'flotilla';

await using runtime = await Runtime.start({ name: 'lines' });
const digest = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 12);

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const reader = runtime.spawn(async (_self: Task<never>) => {
  const [socket] = await once(server, 'connection');
  const lines: string[] = [];
  for await (const line of createInterface({ input: socket })) lines.push(line);
  return { count: lines.length, sum: digest(lines) };
});
const lines = Array.from({ length: 1_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 50)}`);
const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
for (const line of lines) if (!socket.write(`${line}\n`)) await once(socket, 'drain');
socket.end();
const { count, sum } = await reader.result;
server.close();
console.log(`${count} lines, checksums ${sum === digest(lines) ? 'agree' : 'differ'}`);
// prints: 1000 lines, checksums agree
