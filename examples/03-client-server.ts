// A server task and its clients, in one process: messages that carry where to answer, and a daemon that nobody waits for.
//
//   npx flotilla run examples/03-client-server.ts
import { Runtime, type Task, type TaskRef } from 'flotilla';

interface Order {
  readonly item: string;
  readonly count: number;
  readonly reply: TaskRef<string>;
}

const runtime = await Runtime.start({ name: 'shop' });
const server = runtime.with({ daemon: true, name: 'server' }).spawn(async (self: Task<Order>) => {
  let total = 0;
  for await (const { item, count, reply } of self) {
    total += count;
    reply.send(`${count} ${item}, ${total} in all`);
  }
});
const client = async (_self: Task<never>, item: string, count: number): Promise<void> => {
  console.log(await server.ask<string>((reply) => ({ item, count, reply }), { timeout: 1_000 }));
};
for (const [item, count] of [
  ['apples', 3],
  ['pears', 4],
  ['plums', 5],
] as const)
  runtime.spawn(client, item, count);
await runtime.finish(); // waits for the clients, not for the server
// prints: 3 apples, 3 in all
// prints: 4 pears, 7 in all
// prints: 5 plums, 12 in all
