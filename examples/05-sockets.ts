// Tasks and ordinary sockets: one task for each connection, the platform's own streams, nothing special.
//
//   npx flotilla run examples/05-sockets.ts
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Runtime, type Task } from 'flotilla';

await using runtime = await Runtime.start({ name: 'sockets' });

async function serve(_self: Task<never>, socket: Socket): Promise<number> {
  let bytes = 0;
  for await (const chunk of socket) {
    bytes += (chunk as Buffer).length;
    socket.write((chunk as Buffer).toString().toUpperCase());
  }
  socket.end();
  return bytes;
}

let sum = 0;
const served: Promise<unknown>[] = [];
const server = createServer({ allowHalfOpen: true }, (socket) => {
  served.push(runtime.spawn(serve, socket).result.then((bytes) => (sum += bytes)));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const client = async (_self: Task<never>, text: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
};
const clients = ['one', 'two', 'three'].map((text) => runtime.spawn(client, text));
console.log((await Promise.all(clients.map((task) => task.result))).join(' '));
await Promise.all(served);
console.log(`${sum} bytes over tcp`);
server.close();

const udp = createSocket('udp4');
udp.bind(0, '127.0.0.1');
await once(udp, 'listening');
const heard = runtime.spawn(async (self: Task<string>) => [await self.receive(), await self.receive()].join(' '));
udp.on('message', (message) => heard.send(message.toString()));
for (const word of ['a', 'datagram']) udp.send(word, udp.address().port, '127.0.0.1');
console.log(`over udp: ${await heard.result}`);
udp.close();
// prints: ONE TWO THREE
// prints: 11 bytes over tcp
// prints: over udp: a datagram
