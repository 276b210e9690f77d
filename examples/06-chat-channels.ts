// A chat of several processes: whoever is there finds the room by its name, and a transform stamps or drops each line.
// Two machines: run it with `server` on one and `guest` on the other, with the same secret.
//
//   npx flotilla run examples/06-chat-channels.ts
import { channelName, Runtime, type Task } from 'flotilla';
import { startOther } from './support/other.ts';

interface Line {
  readonly from: string;
  readonly text: string;
}
const room = channelName<Line>('room'); // shared by both sides
const nearby = { discover: true, listen: 'tcp://127.0.0.1', udpPort: 9766 } as const;

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'chat-server', ...nearby });
  runtime.channel(room, { transform: (line) => (/spam/i.test(line.text) ? undefined : { ...line, text: `${line.text}!` }) });
  console.log('open');
} else {
  using _server = await startOther(import.meta.url, 'server');
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
