// Agents on workers find each other by a board and talk to each other directly, past the client. (dispycos_mas)
//
//   npx flotilla run examples/13-multi-agent.ts
import { Client, type Task } from 'flotilla';
import { type AgentMessage, type Arrival, board } from './support/board.ts';

interface Offer {
  readonly from: string;
  readonly price: number;
}

// Each tells its price to all others, hears theirs, and says who is the cheapest.
async function agent(self: Task<AgentMessage>, name: string, price: number, count: number): Promise<string> {
  const found = await self.locate(board, { timeout: 10_000 });
  found.send({ name, agent: self.ref });
  const offers: Offer[] = [{ from: name, price }];
  let told = false; // offers of others may come first: order is kept between two, not among many
  for await (const message of self) {
    if (message.kind === 'met') {
      for (const other of message.others) other.send({ kind: 'offer', from: name, price });
      told = true;
    } else offers.push(message);
    if (told && offers.length === count) break;
  }
  return offers.sort((a, b) => a.price - b.price)[0]?.from ?? name;
}

const names = ['anna', 'bert', 'cleo'];
await using client = await Client.connect({ workers: 2 });
const introducer = client.runtime.spawn(async (self: Task<Arrival>) => {
  await self.register('board');
  const arrived: Arrival[] = [];
  while (arrived.length < names.length) arrived.push(await self.receive());
  for (const { name, agent: one } of arrived)
    one.send({ kind: 'met', others: arrived.filter((other) => other.name !== name).map((other) => other.agent) });
});
const agents = await Promise.all(names.map((name, i) => client.with({ io: 10 }).spawn(agent, name, [30, 10, 20][i] ?? 0, names.length)));
const winners = await Promise.all(agents.map((one) => one.result));
await introducer.result;
for (const [i, name] of names.entries()) console.log(`${name} knows that ${winners[i]} is the cheapest`);
// prints: anna knows that bert is the cheapest
// prints: bert knows that bert is the cheapest
// prints: cleo knows that bert is the cheapest
