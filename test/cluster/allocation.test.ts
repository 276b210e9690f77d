// Which hosts a client takes: patterns, platforms, what must be free, and what decides.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocationsOf, decide, type HostAllocation } from '../../src/cluster/client/allocation.ts';
import { partsOf } from '../../src/cluster/crew/components.ts';
import type { HostOffer } from '../../src/cluster/protocol.ts';
import { means } from '../../src/cluster/where.ts';
import { thisPlatform } from '../../src/host/index.ts';

const offer: HostOffer = {
  name: 'lab-1',
  platform: 'linux-6.1.0-x86_64-node-v20.19.0',
  workers: 4,
  cores: 4,
  memory: 8e9,
  disk: 9e9,
  swap: 0,
  location: 'tcp://192.168.1.10:9706',
  addresses: ['tcp://192.168.1.10:9706'],
  availability: { cpu: 90, memory: 2e9, disk: 5e9, swap: 0, load: 0.1 },
};
const take = async (...hosts: (string | HostAllocation)[]): Promise<number> => (await decide(allocationsOf(hosts), offer)).take;
const ALL = Number.POSITIVE_INFINITY;

test('a pattern matches the whole of a name or address, * any part of it', async () => {
  assert.equal(await take('lab-1'), ALL);
  assert.equal(await take('lab-*'), ALL);
  assert.equal(await take('192.168.1.10'), ALL);
  assert.equal(await take('192.168.1.1'), 0); // not the beginning of another address
  assert.equal(await take('192.168.1.10:9706'), ALL);
  assert.equal(await take('192.168.*'), ALL);
  assert.equal(await take('lab'), 0);
  assert.equal(await take('lab?1'), 0); // only * is special
  assert.equal(await take('other', '*'), ALL);
});

test('a platform is sought anywhere, ignoring case; another one passes on', async () => {
  assert.equal(await take({ platform: 'linux.*x86_64' }), ALL);
  assert.equal(await take({ platform: 'LINUX' }), ALL);
  assert.equal(await take({ platform: /\S+-node-v20/ }), ALL);
  assert.equal(await take({ platform: 'windows' }), 0);
  assert.equal(await take({ platform: 'windows', allocate: () => 1 }, { allocate: () => 2 }), 2);
  assert.match(thisPlatform(), /^(linux|darwin|windows_nt)-.+-.+-node-v\d+/);
});

test('too few workers, too little memory or disk refuses', async () => {
  assert.equal(await take({ workers: 4 }), ALL);
  assert.equal(await take({ workers: 5 }, '*'), 0);
  assert.equal(await take({ memory: 3e9 }, '*'), 0);
  assert.equal(await take({ disk: 4e9 }), ALL);
});

test('allocate takes so many, refuses with 0, and passes on with less', async () => {
  assert.equal(await take({ allocate: ({ workers }) => workers / 2 }), 2);
  assert.equal(await take({ allocate: () => 0 }, '*'), 0);
  assert.equal(await take({ allocate: async () => -1 }, { host: 'lab-*', allocate: () => 3 }), 3);
  await assert.rejects(take({ allocate: () => 'many' as never }), /must return a number; it returned many/);
});

test('a name that is no pattern is resolved: the host at its address is meant, on this machine by any of its addresses', async () => {
  const resolve = async (name: string): Promise<string[]> => (name === 'lab.example' ? ['192.168.1.10', 'fd00::10'] : ['127.0.0.1']);
  const at = async (given: string | HostAllocation, addresses = offer.addresses): Promise<number> =>
    (await decide(allocationsOf([given]), { ...offer, addresses }, resolve)).take;
  assert.equal(await at('lab.example'), ALL);
  assert.equal(await at('lab.example:9706'), ALL);
  assert.equal(await at('lab.example:9707'), 0);
  assert.equal(await at('lab.example', ['tcp://[fd00::10]:9706']), ALL);
  assert.equal(await at('::1', ['tcp://[::1]:9706']), ALL);
  assert.equal(await at('fd00::10', ['tcp://10.0.0.1:9706', 'tcp://[fd00::10]:9706']), ALL);
  assert.equal(await at('localhost'), 0);
  assert.equal(await at('localhost', ['tcp://127.0.0.1:9706']), ALL);
  assert.equal(await at('lab.*'), 0); // patterns are about names and addresses as they are
});

test('a port counts', async () => {
  assert.equal(await take({ host: '192.168.1.10', port: 9706 }), ALL);
  assert.equal(await take({ host: '192.168.1.10', port: 9707 }), 0);
  assert.equal(await take({ host: 'lab-1', port: 9707 }, { host: '*', port: 9706 }), ALL);
});

test('an allocation may have fields of its own, and be an object of a class that decides', async () => {
  class Half {
    readonly host = 'lab-*';
    readonly share = 0.5;
    allocate({ workers }: HostOffer): number {
      return workers * this.share;
    }
  }
  assert.equal(await take(new Half()), 2);
  const noted = { host: 'lab-1', cost: 3, note: 'the one in the corner' };
  assert.equal(await take(noted), ALL);
  assert.throws(() => allocationsOf([{ hots: 'lab-1' } as never]), /no option 'hots'.*'host'/s);
});

test('every field of an allocation is checked when it is given; one that is called as in dispycos is told its name here', () => {
  const told = (given: object): string => {
    try {
      return `taken: ${JSON.stringify(allocationsOf([given as never]))}`;
    } catch (error) {
      return String(error);
    }
  };
  assert.match(told({ host: 5 }), /An allocation: 'host' must be a text; it is 5\./);
  assert.match(told({ platform: 5 }), /'platform' must be a text or a regular expression; it is 5/);
  assert.match(told({ platform: '(' }), /'platform' is no regular expression/);
  assert.match(told({ workers: '4' }), /'workers' must be a number, at least 0; it is '4'/);
  assert.match(told({ allocate: 4 }), /'allocate' must be a function; it is 4/);
  assert.match(told({ node: 'lab-*' }), /no option 'node'\. Here it is 'host'/);
  assert.match(told({ host: 'lab-*', cpus: 4 }), /no option 'cpus'\. Here it is 'workers'/);
  assert.match(told({ host: 'lab-*', workers: 1, cpus: 4, platform: '' }), /^taken/);
});

test('a place has a name, a location, and with a number behind it its workers', () => {
  const addresses = ['tcp://10.0.0.2:9706', 'tcp://[fd00::2]:9706'];
  for (const where of ['lab', 'tcp://10.0.0.2:9706', '10.0.0.2:9706', '10.0.0.2', '[fd00::2]:9706'])
    assert.ok(means(where, 'lab', addresses), where);
  for (const where of ['lab/1', 'tcp://10.0.0.2:9706/1', '10.0.0.2:9706/1']) assert.ok(means(where, 'lab/1', addresses, 1), where);
  for (const where of ['la', '10.0.0.20', '10.0.0.2:9707', 'tcp://10.0.0.2:9706/2']) assert.ok(!means(where, 'lab', addresses), where);
});

test('components are told apart, each once', () => {
  class Shape {}
  const fn = (): number => 1;
  const parts = partsOf([fn, fn, Shape, new URL('file:///x/job.ts'), 'package.json', 'test/fixtures/common.cjs']);
  assert.deepEqual(parts.functions, [fn]);
  assert.deepEqual(parts.classes, [Shape]);
  assert.deepEqual(parts.modules, ['file:///x/job.ts']);
  assert.deepEqual(
    parts.files.map(({ dir, name }) => [dir, name]),
    [
      ['', 'package.json'],
      ['test/fixtures', 'common.cjs'],
    ],
  );
});
