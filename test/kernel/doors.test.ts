// Doors: what does not fit is refused before anything of the answerer runs, and costs who goes on with it the session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flag, string, whole } from '../../src/base/index.ts';
import { door, type Runtime } from '../../src/kernel/index.ts';
import { onStatus } from '../support/peers.ts';
import { machines } from '../support/worlds.ts';

interface KitchenDoor {
  cook(dish: string, plates: number): string;
  slowly(dish: string): string;
}
type KitchenHears = { readonly kind: 'salted'; readonly much: boolean } | { readonly kind: 'done' };

const KITCHEN = door<KitchenDoor, KitchenHears>(
  'kitchen',
  60,
  { cook: [string, whole(1, 4)], slowly: [string] },
  { salted: { much: flag }, done: {} },
);

// A kitchen at `a`, and what ran there; whoever is at `b` can say anything.
async function kitchen() {
  const { world, runtimes } = await machines(2);
  const [a, b] = runtimes as [Runtime, Runtime];
  const ran: string[] = [];
  const given: unknown[] = [];
  a.kernel.serve(
    KITCHEN,
    {
      cook: (_asked, dish, plates) => {
        ran.push(dish);
        return `${plates} of ${dish}`;
      },
      slowly: ({ signal }) => new Promise(() => signal.addEventListener('abort', () => given.push(signal.reason))),
    },
    { message: (_peer, notice) => void ran.push(notice.kind) },
  );
  const ask = (method: string, ...args: unknown[]): Promise<unknown> =>
    world.wait(b.kernel.requests.ask(a.id, KITCHEN.number, method, args, { timeout: 5_000 }));
  return { world, a, b, ran, given, ask };
}

test('a door is asked like an object, and told', async () => {
  const { world, a, b, ran } = await kitchen();
  assert.equal(await world.wait(b.kernel.at(a.id, KITCHEN).cook('soup', 2)), '2 of soup');
  b.kernel.message(a.id, KITCHEN, { kind: 'salted', much: true });
  b.kernel.message(a.id, KITCHEN, { kind: 'done' });
  await world.clock.advance(10);
  assert.deepEqual(ran, ['soup', 'salted', 'done']);
  await world.close();
});

test('whoever answers hears that the asker has given up, or is gone', async () => {
  const { world, a, b, given } = await kitchen();
  await assert.rejects(world.wait(b.kernel.at(a.id, KITCHEN, { timeout: 100 }).slowly('stew')), { code: 'ERR_TIMEOUT' });
  const lost = assert.rejects(b.kernel.at(a.id, KITCHEN).slowly('stew'));
  await world.clock.advance(10);
  assert.equal((given[0] as Error).message, "'slowly' was not answered within 100 ms.");
  await world.wait(b.close());
  await lost;
  await world.clock.advance(10);
  assert.equal((given[1] as { code?: string }).code, 'ERR_SESSION_LOST');
  await world.close();
});

test('what does not fit is refused with an error that names door, method and argument, and nothing runs', async () => {
  const { world, a, b, ran, ask } = await kitchen();
  await assert.rejects(ask('cook', 'soup', 5), {
    code: 'ERR_REQUEST_INVALID',
    message: "The door 'kitchen' does not take this: argument 2 of 'cook' must be a whole number, from 1 to 4; it is 5.",
  });
  await assert.rejects(ask('cook', 1, 1), { code: 'ERR_REQUEST_INVALID', message: /argument 1 of 'cook' must be a text; it is 1/ });
  await assert.rejects(ask('cook', 'soup'), { code: 'ERR_REQUEST_INVALID', message: /argument 2 of 'cook'.*it is undefined/ });
  await assert.rejects(ask('cook', 'soup', 1, 'more'), { code: 'ERR_REQUEST_INVALID', message: /'cook' has 2 arguments/ });
  await assert.rejects(ask('eat'), { code: 'ERR_REQUEST_UNKNOWN' });
  for (const notice of [{ kind: 'salted', much: 1 }, { kind: 'burnt' }, 7, null]) b.kernel.message(a.id, KITCHEN, notice as never);
  await world.clock.advance(10);
  assert.deepEqual(ran, []);
  await world.close();
});

test('the tenth thing within a minute that no door takes ends the session, and whoever said it hears why before', async () => {
  const { world, a, b, ran, ask } = await kitchen();
  const ended: string[] = [];
  onStatus(a, (status, peer) => ended.push(`${peer.name} ${status}`));
  for (let i = 0; i < 9; i++) await assert.rejects(ask('cook', 'soup', 0), { code: 'ERR_REQUEST_INVALID' });
  await world.clock.advance(61_000);
  for (let i = 0; i < 9; i++) await assert.rejects(ask('cook', 'soup', 0), { code: 'ERR_REQUEST_INVALID' });
  assert.deepEqual(ended, []);
  await assert.rejects(ask('cook', 'soup', 0), { code: 'ERR_REQUEST_INVALID' });
  await world.clock.advance(1_000);
  assert.equal(ended[0], 'b offline');
  assert.deepEqual(ran, []);
  await world.wait(b.connect('mem://a:1')); // it may come again
  assert.equal(await ask('cook', 'soup', 1), '1 of soup');
  await world.close();
});

test('a runtime that says what its own doors do not take is told so, and goes on', async () => {
  const { world, a } = await kitchen();
  for (let i = 0; i < 12; i++)
    await assert.rejects(world.wait(a.kernel.requests.ask(a.id, KITCHEN.number, 'cook', ['soup', 0])), { code: 'ERR_REQUEST_INVALID' });
  assert.equal(await world.wait(a.kernel.at(a.id, KITCHEN).cook('soup', 1)), '1 of soup');
  await world.close();
});
