// A channel in another process: deliver() waits until two have subscribed, wherever they are.
//
//   npx flotilla run examples/06-remote-channel.ts
import { channelName, Runtime, type Task } from 'flotilla';
import { startOther } from './support/other.ts';

const news = channelName<string>('news');

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'server', listen: 'tcp://127.0.0.1:0' });
  runtime.channel(news);
  console.log(runtime.location);
} else {
  using server = await startOther(import.meta.url, 'server');
  await using sender = await Runtime.start({ name: 'sender', seeds: [server.line] });
  const channel = await sender.locate(news, { timeout: 10_000 });
  const delivered = channel.deliver('two of you are there', { atLeast: 2, timeout: 10_000 });
  for (const name of ['first', 'second']) {
    const reader = sender.spawn(async (self: Task<string>) => `${name} read: ${await self.receive()}`);
    await channel.subscribe(reader);
    void reader.result.then((line) => console.log(line));
  }
  console.log(`delivered to ${await delivered}`);
}
// prints: first read: two of you are there
// prints: second read: two of you are there
// prints: delivered to 2
