// A chat over plain sockets: clients need nothing of Flotilla. One task owns who is there, a channel carries what is said.
//
//   npx flotilla run examples/06-chat-sockets.ts
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { channelName, Runtime, type Task } from 'flotilla';

await using runtime = await Runtime.start({ name: 'chat' });
const room = runtime.channel(channelName<string>('room'));

const guest = async (self: Task<string>, socket: Socket): Promise<void> => {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const { value: name } = (await lines.next()) as { value: string };
  await room.subscribe(self.ref);
  const writer = (async () => {
    for await (const line of self) socket.write(`${line}\n`);
  })();
  await room.deliver(`${name} is here`);
  for (let line = await lines.next(); !line.done; line = await lines.next()) await room.deliver(`${name}: ${line.value}`);
  await room.unsubscribe(self.ref);
  self.ref.close();
  await writer;
  socket.end();
};
const server = createServer({ allowHalfOpen: true }, (socket) => void runtime.spawn(guest, socket)).listen(0, '127.0.0.1');
await once(server, 'listening');

const enter = async (name: string): Promise<{ say(text: string): void; leave(): void; heard: AsyncIterator<string> }> => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const heard = createInterface({ input: socket })[Symbol.asyncIterator]();
  socket.write(`${name}\n`);
  await heard.next(); // one's own arrival
  return { say: (text) => void socket.write(`${text}\n`), leave: () => void socket.end(), heard };
};
const ann = await enter('Ann');
const bob = await enter('Bob');
bob.say('Hello, Ann');
for (let i = 0; i < 2; i++) console.log(`Ann reads "${(await ann.heard.next()).value}"`);
console.log(`Bob reads "${(await bob.heard.next()).value}"`);
ann.leave();
bob.leave();
await runtime.join();
server.close();
// prints: Ann reads "Bob is here"
// prints: Ann reads "Bob: Hello, Ann"
// prints: Bob reads "Bob: Hello, Ann"
