// What must compile, and what must not: checked by the compiler, which refuses this file otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClusterEvent, here, setUp, setUpEach, type Task, type TaskEnd, type TaskRef, type Verbs } from 'flotilla';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_T extends true>(): void => {};

const add = (a: number, b: number): number => a + b;
const later = async (text: string): Promise<Date> => new Date(text);
async function* count(n: number): AsyncGenerator<number, void, void> {
  yield n;
}
function* countAtOnce(n: number): Generator<number, string, void> {
  yield n;
  return 'done';
}
async function average(self: Task<number>, reportTo: TaskRef<number>): Promise<number> {
  reportTo.send(await self.receive());
  return 1;
}

const load = (file: string, factor: number): { readonly table: Float64Array } => ({ table: new Float64Array(factor + file.length) });

// Never called: the places of a client.
export async function places(client: Client, status: TaskRef<ClusterEvent>, wrongStatus: TaskRef<string>): Promise<void> {
  await Client.connect({
    statusTask: status,
    hostSetUp: setUp(load, 'x', 1),
    workerSetUp: setUpEach(load, ({ worker }) => [worker ?? '', 2]),
  });
  // @ts-expect-error: a status task must take status events
  await Client.connect({ statusTask: wrongStatus });
  // @ts-expect-error: the arguments of a set-up are those of its function
  setUp(load, 'x');
  // @ts-expect-error: also when they differ from place to place
  setUpEach(load, () => ['x']);
  // @ts-expect-error: an allocation says how many as a number
  await Client.connect({ hosts: [{ allocate: () => 'all' }] });
  // @ts-expect-error: there is no such option
  await client.close({ await: true });
  is<Equal<ReturnType<typeof here>['host']['data'], unknown>>();
  const data = here().host.dataOf(load);
  is<Equal<typeof data, { readonly table: Float64Array }>>();
  for await (const event of client.events()) {
    if (event.kind === 'worker-lost') is<Equal<typeof event.retried, number>>();
    // @ts-expect-error: not every event is of a worker
    event.worker;
  }
  const never = client.run((): never => process.exit(1));
  is<Equal<typeof never, Promise<never>>>();
}

// Never called: its types are what is tested.
export async function use(client: Client, verbs: Verbs): Promise<void> {
  const sum = client.run(add, 1, 2);
  is<Equal<typeof sum, Promise<number>>>();
  const date = client.run(later, 'x');
  is<Equal<typeof date, Promise<Date>>>();
  const values = client.run(count, 3);
  is<Equal<typeof values, AsyncIterable<number> & AsyncDisposable>>();
  const atOnce = client.run(countAtOnce, 3);
  is<Equal<typeof atOnce, AsyncIterable<number> & AsyncDisposable>>();
  const list = client.run((n: number) => [n], 3);
  is<Equal<typeof list, Promise<number[]>>>();
  const inline = client.run((x: number) => [x], 1);
  is<Equal<typeof inline, Promise<number[]>>>();

  for await (const n of client.map(add, [1, 2], { args: [3] })) is<Equal<typeof n, number>>();
  for await (const d of client.map(later, ['a'])) is<Equal<typeof d, Date>>();
  for await (const end of client.map(later, ['a']).outcomes()) {
    is<Equal<typeof end.item, string>>();
    if (!end.error) is<Equal<typeof end.value, Date>>();
  }

  const reports = null as unknown as TaskRef<number>;
  const task = await client.spawn(average, reports);
  is<Equal<typeof task, TaskRef<number, number>>>();
  const end = await task.ended;
  is<Equal<typeof end, TaskEnd<number>>>();
  const same = verbs.run(add, 1, 2);
  is<Equal<typeof same, Promise<number>>>();

  const wide: TaskRef<3> = task; // one that takes any number takes a 3
  void wide;
  // @ts-expect-error one that takes only 3 does not take any number
  const narrow: TaskRef<number> = null as unknown as TaskRef<3>;
  void narrow;
  // @ts-expect-error an argument of the wrong type
  client.run(add, 1, '2');
  // @ts-expect-error an argument too few
  client.run(add, 1);
  // @ts-expect-error items of the wrong type
  client.map(later, [1]);
  // @ts-expect-error a further argument of the wrong type
  client.map(add, [1], { args: ['x'] });
  // @ts-expect-error a further argument is missing
  client.map(add, [1]);
  for await (const n of client.map(count, [1])) is<Equal<typeof n, number>>();
  for await (const n of client.map((n: number, more: number) => countAtOnce(n + more), [1], { args: [1] })) is<Equal<typeof n, number>>();
  for await (const end of client.map(countAtOnce, [1]).outcomes()) if (!end.error) is<Equal<typeof end.value, number[]>>();
  const all = async <T, R>(fn: (item: T) => R, items: T[]): Promise<unknown> => client.map(fn, items).toArray();
  void all;
  for await (const n of client.map((x) => x * 2, [1])) is<Equal<typeof n, number>>();
  for await (const n of client.map((x, y) => x * y, [1], { args: [2] })) is<Equal<typeof n, number>>();
  for await (const n of client.map((x: string) => JSON.parse(x), ['1'])) n.anything;
  for await (const n of client.map((x: unknown) => x, ['1'] as unknown[])) is<Equal<typeof n, unknown>>();
  for await (const n of client.map((x: string | number) => (x ? [x] : new Map([[x, 1]])), ['1']))
    is<Equal<typeof n, (string | number)[] | Map<string | number, number>>>();
  // @ts-expect-error a message of the wrong type
  task.send('x');
  // @ts-expect-error the task reports numbers, and is given a reference for texts
  client.spawn(average, null as unknown as TaskRef<string>);
  // @ts-expect-error an option that does not exist
  client.with({ retires: 1 });
  // @ts-expect-error functions only
  client.run('add', 1, 2);
}

test('the types of the verbs are what this file says', () => {
  assert.equal(typeof use, 'function');
});
