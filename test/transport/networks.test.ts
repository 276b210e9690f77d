// A network that is handed in: one of this file's own, with its own scheme and its own way to write addresses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Environment, Runtime, type RuntimeOptions, type Task, type TaskRef } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';
import type { Address, Conn, ConnHandler, Network, Networks } from '../../src/transport/index.ts';

/** Cans on strings: `cans://NAME` is held by one runtime, `cans://` by nobody yet. */
class Cans implements Network {
  readonly announced = true;
  readonly dialled: string[] = [];
  readonly #held = new Map<string, (conn: Conn) => void>();

  parse(text: string): Address {
    return { scheme: 'cans', host: text.replace('cans://', ''), port: 0 };
  }

  print({ host }: Address): string {
    return `cans://${host}`;
  }

  local() {
    return { perMachine: false, stays: true };
  }

  beside(): Address {
    return this.parse('');
  }

  everywhere(): string {
    return 'cans://';
  }

  dial: Network['dial'] = async (address) => {
    const where = this.print(address);
    this.dialled.push(where);
    const accept = this.#held.get(address.host);
    if (!accept) throw new Error(`nobody holds ${where}`);
    const [here, there] = [new Can(where), new Can(where)];
    here.other = there;
    there.other = here;
    accept(there);
    return here;
  };

  listen: Network['listen'] = async (address, accept) => {
    const host = address.host || `can-${this.#held.size}`;
    this.#held.set(host, accept);
    return { address: { ...address, host }, close: async () => void this.#held.delete(host) };
  };
}

/** One end: what is said into it is heard at the other, in a microtask. */
class Can implements Conn {
  readonly exposed = false;
  readonly local = true;
  readonly remote: string;
  other: Can | undefined;
  readonly #heard: (Buffer | 'cut')[] = [];
  #handler: ConnHandler | undefined;
  #open = true;

  constructor(remote: string) {
    this.remote = remote;
  }

  binding(): string {
    return 'a string';
  }

  start(handler: ConnHandler): void {
    this.#handler = handler;
    this.#tell();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#open) this.other?.hear(Buffer.from(bytes));
    return true;
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.other?.hear('cut');
    this.hear('cut');
  }

  destroy(): void {
    this.end();
  }

  hear(what: Buffer | 'cut'): void {
    this.#heard.push(what);
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    for (let next = this.#handler && this.#heard.shift(); next; next = this.#handler && this.#heard.shift()) {
      if (next !== 'cut') {
        this.#handler?.data(next);
        continue;
      }
      this.#open = false;
      this.#heard.length = 0;
      const handler = this.#handler;
      this.#handler = undefined;
      handler?.closed(undefined);
    }
  }
}

const start = (world: World, name: string, networks: Networks, options: RuntimeOptions): Promise<Runtime> => {
  const environment: Environment = { ...world.environment(name), networks };
  return world.wait(Runtime.start({ name, ...options }, environment));
};

async function collector(self: Task<string>): Promise<string> {
  await self.register('collector');
  return `${await self.receive()}, ${await self.receive()}`;
}

async function courier(self: Task<TaskRef<string>>): Promise<void> {
  await self.register('courier');
  const to = await self.receive();
  await to.deliver('by hand');
}

test('over a network that was handed in, runtimes connect, deliver, and hand on references that lead there', async () => {
  const world = new World({ seed: 1 });
  const cans = new Cans();
  const earth = await start(world, 'earth', { cans }, { listen: 'cans://earth' });
  const moon = await start(world, 'moon', { cans }, { listen: 'cans://moon' });
  const mars = await start(world, 'mars', { cans }, {});
  assert.equal(earth.location, 'cans://earth');
  await world.wait(moon.connect('cans://earth'));
  await world.wait(mars.connect('moon')); // the first network's scheme may be left out
  assert.deepEqual(cans.dialled, ['cans://earth', 'cans://moon']);
  assert.deepEqual(moon.peers().find(({ name }) => name === 'earth')?.addresses, ['cans://earth']);

  const task = earth.spawn(collector);
  mars.spawn(courier);
  const found = await world.wait(moon.locate('collector'));
  await world.wait(found.deliver('by wire' as never));
  await world.wait((await world.wait(moon.locate('courier'))).deliver(found as never));
  assert.equal(await world.wait(task.result), 'by wire, by hand');
  assert.deepEqual(cans.dialled, ['cans://earth', 'cans://moon', 'cans://earth'], 'the reference told mars where');
  await world.wait(Promise.all([earth, moon, mars].map((runtime) => runtime.close())));
});

test('what a network says of its places is what a runtime does: which is free, which is whose, who hears of it', async () => {
  const world = new World({ seed: 1 });
  const cans = new Cans();
  const networks = (machine: string): Networks => ({ cans, mem: world.network.at(machine) });
  const lines: string[] = [];
  const log = { debug: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line), warn() {}, error() {} };
  const a = await start(world, 'a', networks('a'), { listen: ['cans://', 'mem://a'], discover: true, log });
  assert.deepEqual(a.locations, ['cans://can-0', 'mem://a:40000']);
  const b = await start(world, 'b', networks('b'), { discover: true });
  await world.clock.advance(2_000);
  assert.deepEqual(
    b.peers().map(({ name }) => name),
    ['a'],
    'announced, and dialled',
  );
  const [peer] = await world.wait(b.peer('cans://can-0'));
  assert.equal(peer.name, 'a');
  await assert.rejects(world.wait(b.connect('rope://a')), {
    code: 'ERR_LINK_ADDRESS',
    message: /Write one that begins with cans:\/\/ or mem:\/\/\.$/,
  });
  await assert.rejects(start(world, 'c', networks('c'), { listen: 'rope://c' }), { code: 'ERR_LINK_ADDRESS' });
  await world.wait(Promise.all([a.close(), b.close()]));
});

test('an address of a network that a peer does not have is not dialled there; other ways are, and the end is noticed', async () => {
  const world = new World({ seed: 1, latencyMs: 1 });
  const cans = new Cans();
  const both = { cans, mem: world.network.at('both') };
  const a = await start(world, 'both', both, { listen: ['cans://a', 'mem://both:1'], pulse: 500 });
  const b = await world.start('b', { listen: 'mem://b:1', pulse: 500 });
  await world.wait(b.connect('mem://both:1'));
  const peers = (): string[] => b.peers().map(({ name }) => name);
  world.network.cut();
  await world.clock.advance(1_000);
  assert.deepEqual(peers(), ['both'], 'reached again');
  world.network.crash('both', true);
  a.hub.abandon();
  await world.clock.advance(5_000);
  assert.deepEqual(peers(), []);
  const other = a.id.replace(/./g, '7') as typeof a.id;
  b.hub.reach(other, ['cans://a']);
  await assert.rejects(world.wait(b.hub.open(other, 1_000)), {
    code: 'ERR_REFERENCE_UNREACHABLE',
    message: /there is no network 'cans' here/,
  });
  assert.deepEqual(cans.dialled, []);
  await world.close();
});
