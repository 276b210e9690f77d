// A chat of several processes: whoever is there finds the room by its name, and a transform stamps or drops each line.
// On two machines with the same secret: `... 06-chat-channels.ts server` on one, `... guest` on the other.
//
//   npx flotilla run examples/06-chat-channels.ts
import { channelName, Runtime, type Task } from 'flotilla';
import { startOther } from './support/other.ts';

interface Line {
  readonly from: string;
  readonly text: string;
}
const room = channelName<Line>('room'); // shared by both sides
const role = process.argv[2] ?? 'alone';
const here = role === 'server' || role === 'guest' ? {} : { listen: 'tcp://127.0.0.1' }; // by itself it keeps to this machine
const nearby = { discover: true, udpPort: 9766, ...here };

if (role.startsWith('server')) {
  const runtime = await Runtime.start({ name: 'chat-server', ...nearby });
  runtime.channel(room, { transform: (line) => (/spam/i.test(line.text) ? undefined : { ...line, text: `${line.text}!` }) });
  console.log('open');
} else {
  using _server = role === 'alone' ? await startOther(import.meta.url, 'server-here') : undefined;
  await using runtime = await Runtime.start({ name: 'guest', ...nearby });
  const chat = await runtime.locate(room, { timeout: 10_000 });
  const reader = runtime.spawn(async (self: Task<Line>) => {
    for (let i = 0; i < 2; i++) {
      const { from, text } = await self.receive();
      console.log(`${from}: ${text}`);
    }
  });
  await chat.subscribe(reader);
  for (const text of ['Hello', 'buy SPAM', 'Goodbye']) chat.send({ from: 'guest', text });
  await reader.result;
}
// prints: guest: Hello!
// prints: guest: Goodbye!
