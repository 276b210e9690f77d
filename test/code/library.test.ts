import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'acorn';
import { Library, load, Store } from '../../src/code/index.ts';
import * as stateful from '../fixtures/stateful.ts';
import { tempFolder } from '../support/processes.ts';

const FACTOR = 3;
const TABLE = new Map([[1, 'one']]);
function helper(x: number): number {
  return x * FACTOR;
}
class Local {
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }
}
const made = process.memoryUsage().rss;
let changes = 1;
changes += 1;

async function world(t: { after(fn: () => void): void }) {
  const folder = tempFolder(t);
  const library = new Library(process.argv[1]);
  const store = new Store(join(folder, 'store'), { wall: Date.now, packages: process.cwd() });
  const client = join(folder, 'client');
  mkdirSync(client);
  const use = async (fn: (...args: never[]) => unknown): Promise<(...args: any[]) => any> => {
    const shipped = await library.ship(fn);
    const units = library.closure(shipped.unit);
    for (const hash of await store.provide(client, units)) await store.put(hash, units.find((u) => u.hash === hash)!.text);
    await store.provide(client, units);
    return load(client, shipped) as Promise<(...args: any[]) => any>;
  };
  return { library, use };
}

test('exported functions, hidden ones, methods and nested functions of a module travel and share one state', async (t) => {
  const { use } = await world(t);
  const increase = await use(stateful.increase);
  assert.equal(increase(2), 20);
  assert.equal(increase(1), 30);
  assert.equal((await use(stateful.read))(), 3);
  assert.equal((await use(stateful.pick()))(1), 1001);
  assert.equal((await use(stateful.tools.deep.triple))(4), 12);
  assert.equal((await use(stateful.Point.double))(4), 8);
  assert.equal((await use(stateful.anonymous()))(1), 1004);
  assert.equal((await use(stateful.makeAndCheck))(), true);
  assert.equal(stateful.read(), 0, 'the state here is another');
});

test("functions of the program's own file travel with what they use, and nothing else of it runs", async (t) => {
  const { use } = await world(t);
  assert.equal((await use((x: number) => helper(x) + cpus().length * 0))(5), 15);
  assert.equal(
    (
      await use(function named() {
        return TABLE.get(1);
      })
    )(),
    'one',
  );
  assert.equal((await use(() => new Local(4).n))(), 4);
  assert.equal((await use(async () => (await import('node:path')).sep))() instanceof Promise, true);
  const holder = {
    method(x: number) {
      return helper(x);
    },
    'no name'(x: number) {
      return helper(x) + 1;
    },
  };
  assert.equal((await use(holder.method))(2), 6);
  assert.equal((await use(holder['no name']))(2), 7);
});

test('CommonJS functions travel', async (t) => {
  const { use } = await world(t);
  const common = createRequire(import.meta.url)(join(process.cwd(), 'test/fixtures/common.cjs')) as {
    add: (a: number, b: number) => number;
    separator: () => string;
  };
  assert.equal((await use(common.add))(1, 2), 3);
  assert.equal((await use(common.separator))(), '/');
});

test('packages travel: bundled, with the names that their users import', async (t) => {
  const { use } = await world(t);
  assert.equal((await use((text: string) => parse(text, { ecmaVersion: 2022 }).type))('1'), 'Program');
});

test('what cannot travel is refused by name, place and remedy', async (t) => {
  const { library } = await world(t);
  const refused = (fn: (...args: never[]) => unknown, code: string, pattern: RegExp) =>
    assert.rejects(
      library.ship(fn),
      (error: any) => error.code === code && pattern.test(error.message) && /library\.test\.(ts|js):\d+|Pass|Write/.test(error.message),
    );
  const captured = 5;
  await refused(
    (x: number) => x + captured,
    'ERR_CODE_CAPTURES',
    /'captured'.*a variable of the function around it.*Pass it as an argument/,
  );
  await refused(() => made, 'ERR_CODE_SIDE_EFFECT', /'made'.*made by running code/);
  await refused(() => changes, 'ERR_CODE_SIDE_EFFECT', /'changes'.*a variable that changes/);
  await refused(Math.max, 'ERR_CODE_NOT_FOUND', /native/);
  await refused(helper.bind(null), 'ERR_CODE_NOT_FOUND', /bound/);
  await refused(new stateful.Point(1).shift, 'ERR_CODE_CAPTURES', /method of instances/);
  await refused(new Proxy(helper, {}), 'ERR_CODE_NOT_FOUND', /Proxy/);
  await refused(new Function('return 1') as () => unknown, 'ERR_CODE_NOT_FOUND', /eval or new Function/);
  const memo = (fn: (x: number) => number) => (x: number) => fn(x);
  await refused(memo(helper), 'ERR_CODE_CAPTURES', /'fn'/);
});

test('functions that are made anew stand for one another, those written elsewhere or not to be found for themselves', () => {
  const library = new Library();
  const make = (): (() => number) => () => 1;
  const [one, two] = [make(), make()];
  const other = (): number => 1;
  assert.equal(library.firstAt(one), one);
  assert.equal(library.firstAt(two), one);
  assert.equal(library.firstAt(other), other);
  const bound = one.bind(undefined);
  assert.equal(library.firstAt(bound), bound);
  assert.equal(library.firstAt(Math.max), Math.max);
});

test('text in which there are no places is looked through in time in proportion to its length', () => {
  const text = `${'x'.repeat(500_000)}/code/p0123456789abcdef.mjs:1:1 ${'y/code/'.repeat(50_000)}`;
  const started = performance.now();
  assert.equal(new Library().mapStack(text), text);
  assert.ok(performance.now() - started < 1_000);
});

test("stacks of shipped code are told in the user's files and lines", async (t) => {
  const { use, library } = await world(t);
  const throws = await use(stateful.throwsHere);
  try {
    throws(1);
    assert.fail();
  } catch (error) {
    const mapped = library.mapStack((error as Error).stack!);
    const line =
      readFileSync('test/fixtures/stateful.ts', 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('// line 43')) + 1;
    assert.match(mapped, new RegExp(`stateful\\.ts:${line}`), mapped);
  }
});

test('a unit that is not what its hash says is not stored', async (t) => {
  const store = new Store(tempFolder(t), { wall: Date.now, packages: process.cwd() });
  await assert.rejects(store.put('0'.repeat(64), 'x'), { code: 'ERR_CODE_MISSING' });
  await assert.rejects(store.provide(tempFolder(t), [{ name: '../evil', hash: '0'.repeat(64), externals: [] }]), {
    code: 'ERR_CODE_MISSING',
  });
  await assert.rejects(
    store.provide(tempFolder(t), [{ name: `m${'0'.repeat(16)}`, hash: '0'.repeat(64), externals: ['no-such-package-at-all'] }]),
    { code: 'ERR_CODE_PACKAGE_ABSENT' },
  );
});
