// The smallest service: one task that answers questions, found by its name, with a secret of its own.
//
//   npx flotilla run examples/07-pico-service.ts
import { Runtime, type Task, type TaskRef, taskName } from 'flotilla';
import { startOther } from './support/other.ts';

interface Question {
  readonly word: string;
  readonly reply: TaskRef<number>;
}
const lengths = taskName<Question>('lengths');
const secret = 'only those who know this may ask';

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'server', listen: 'tcp://127.0.0.1:0', secret });
  runtime.spawn(async (self: Task<Question>) => {
    await self.register(lengths.name);
    for await (const { word, reply } of self) reply.send(word.length);
  });
  console.log(runtime.location);
} else {
  using server = await startOther(import.meta.url, 'server');
  await using stranger = await Runtime.start({ name: 'stranger', secret: 'a guess that is quite wrong' });
  await stranger.connect(server.line).catch((error: { code: string }) => console.log(`a stranger: ${error.code}`));
  await using runtime = await Runtime.start({ name: 'client', secret });
  await runtime.connect(server.line);
  const task = await runtime.locate(lengths, { timeout: 10_000 });
  console.log(`a friend: ${await task.ask<number>((reply) => ({ word: 'flotilla', reply }), { timeout: 5_000 })}`);
}
// prints: a stranger: ERR_LINK_WRONG_SECRET
// prints: a friend: 8
