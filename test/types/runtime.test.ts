// The runtime's face, proved in both directions: what must compile does, and what must not does not. Nothing here runs.
import { test } from 'node:test';
import {
  type ChannelRef,
  type Client,
  channelName,
  type ErrorCode,
  type FileOutcome,
  hasCode,
  type PeerInfo,
  type PeerStatus,
  Runtime,
  type ServiceRef,
  service,
  serviceName,
  type Task,
  type TaskEnded,
  type TaskRef,
  taskName,
} from 'flotilla';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <T extends true>(): T => true as T;

interface Line {
  readonly text: string;
}
const adder = taskName<number, string>('adder');
const room = channelName<Line>('room');
const lengths = channelName<string, number>('lengths');
const divide = service('divide', async (_self: Task<never>, a: number, b: number) => a / b);
declare const runtime: Runtime;

export async function knowsWhereItListens(): Promise<void> {
  const listening = await Runtime.start({ name: 'a', listen: 'tcp://127.0.0.1:0' });
  is<Equal<typeof listening.location, string>>();
  const several = await Runtime.start({ listen: ['tcp://127.0.0.1:0', 'unix:///run/a.sock'] });
  const found = await Runtime.start({ discover: true });
  await listening.connect(several.location);
  await listening.connect(found.location);
  await using silent = await Runtime.start();
  // @ts-expect-error it listens nowhere
  await listening.connect(silent.location);
}

export async function compiles(): Promise<void> {
  const task = await runtime.locate(adder);
  is<Equal<typeof task, TaskRef<number, string>>>();
  const plain = await runtime.locate('anything');
  is<Equal<typeof plain, TaskRef<unknown>>>();
  const chat = await runtime.locate(room);
  is<Equal<typeof chat, ChannelRef<Line, Line>>>();
  const counted = await runtime.locate(lengths);
  counted.send('text');
  const numbers = runtime.spawn(async (self: Task<number>) => self.receive());
  await counted.subscribe(numbers);
  const wide = runtime.spawn(async (self: Task<Line | string>) => self.receive());
  await chat.subscribe(wide); // takes lines, and more
  const calculator = await runtime.locate(divide);
  is<Equal<typeof calculator, ServiceRef<never, [a: number, b: number], number>>>();
  const quotient = await calculator.call(1, 2);
  is<Equal<typeof quotient, number>>();
  const byName = await runtime.locate(serviceName<(self: Task<string>, n: number) => Promise<Date>>('later'));
  const later = await byName.spawn(1);
  is<Equal<typeof later, TaskRef<string, Date>>>();
  const generated = runtime.spawn(function* (self: Task<number>): Generator<Promise<number>, string, number> {
    return String(yield self.receive());
  });
  is<Equal<typeof generated, TaskRef<number, string>>>();
  const asked = await (null as unknown as TaskRef<{ n: number; reply: TaskRef<string> }>).ask<string>((reply) => ({ n: 1, reply }));
  is<Equal<typeof asked, string>>();
  runtime.spawn(async (self: Task<TaskEnded | number>) => self.monitor(task));
  runtime.peerStatus(runtime.spawn(async (self: Task<PeerStatus | string>) => self.receive()));
  const outcome: FileOutcome = await runtime.sendFile('tcp://h:1', 'f');
  if (outcome.kind === 'differs') is<Equal<typeof outcome.stat.size, number>>();

  // @ts-expect-error a message of another type than the name says
  task.send('x');
  // @ts-expect-error a channel takes its messages only
  chat.send('x');
  // @ts-expect-error a subscriber of what the transform gives, not of what is sent
  await counted.subscribe(wide);
  // @ts-expect-error a subscriber that does not take all of it
  await chat.subscribe(numbers);
  // @ts-expect-error an argument of the wrong type
  await calculator.call(1, '2');
  // @ts-expect-error an argument too few
  await calculator.spawn(1);
  // @ts-expect-error the answer is of the type that was asked for
  (null as unknown as TaskRef<{ reply: TaskRef<string> }>).ask<number>((reply) => ({ reply }));
  // @ts-expect-error a task that does not take notices cannot monitor
  runtime.spawn(async (self: Task<number>) => self.monitor(task));
  // @ts-expect-error nor hear of peers
  runtime.peerStatus(numbers);
  // @ts-expect-error a transform gives what the subscribers take
  runtime.channel(lengths, { transform: (text) => text });
  // @ts-expect-error an option that does not exist
  await runtime.locate(adder, { wait: 5 });
  // @ts-expect-error another function for messages of another type
  await runtime.swap(numbers, async (self: Task<string>) => self.receive());
}

export async function needsNoAnnotation(client: Client): Promise<void> {
  const [peer] = await runtime.peer('10.0.0.2:9705');
  is<Equal<typeof peer, PeerInfo>>();
  const [six] = await runtime.peer('[fd00::1]:9705');
  is<Equal<typeof six, PeerInfo>>();
  const [maybe] = await runtime.peer('10.0.0.2');
  is<Equal<typeof maybe, PeerInfo | undefined>>();
  const [perhaps] = await runtime.peer('fd00::1');
  is<Equal<typeof perhaps, PeerInfo | undefined>>();
  const [machine] = await runtime.peer('tcp://10.0.0.2');
  is<Equal<typeof machine, PeerInfo | undefined>>();
  const [socket] = await runtime.peer('unix:///run/app.sock');
  is<Equal<typeof socket, PeerInfo>>();
  const [named] = await runtime.peer('cans://moon');
  is<Equal<typeof named, PeerInfo>>();
  const [any] = await runtime.peer('10.0.0.2:9705' as string);
  is<Equal<typeof any, PeerInfo | undefined>>();

  const sums = runtime.spawn(function* (self: Task<number>, from: number) {
    const first = yield self.receive();
    const second: number = yield self.receive();
    yield;
    return from + first + second > 3 ? 'much' : 'little';
  }, 1);
  is<Equal<typeof sums, TaskRef<number, 'much' | 'little'>>>();
  const later = await client.spawn(async function* (self: Task<string>) {
    yield self.receive();
    return new Date();
  });
  is<Equal<typeof later, TaskRef<string, Date>>>();
  const daemon = runtime.with({ daemon: true }).spawn(function* (self: Task<number>) {
    return yield self.receive();
  });
  daemon.send(1);
  const counts = service('counts', function* (self: Task<number>, name: string) {
    const n: number = yield self.receive();
    return name.length + n;
  });
  const counted = await (await runtime.locate(counts)).call('x');
  is<Equal<typeof counted, number>>();

  const divides = await runtime.locate(divide);
  const byPeer = new Map(await Promise.all(runtime.peers().map(async ({ id }) => [id, await runtime.locate(divide, { at: id })] as const)));
  for (const one of byPeer.values()) is<Equal<typeof one, ServiceRef<never, [a: number, b: number], number>>>();
  for await (const n of client.map(async (one) => one.call(1, 2), [divides, divides])) is<Equal<typeof n, number>>();
  for await (const n of client.map(async (one, b) => one.call(1, b), [divides], { args: [2] })) is<Equal<typeof n, number>>();
  const all = new Map<string, ServiceRef>([
    ['divide', divides],
    ['counts', await runtime.locate(counts)],
  ]);
  for (const one of all.values()) await one.close();
  const tasks: TaskRef[] = [sums, later];
  for (const one of tasks) one.terminate();
  // @ts-expect-error a reference to whatever service takes no call
  all.get('divide')?.call(1, 2);
  // @ts-expect-error nor whatever task a message
  tasks[0]?.send(1);
  const error: unknown = undefined;
  if (hasCode(error)) is<Equal<typeof error.code, ErrorCode>>();
  if (hasCode(error, 'ERR_TIMEOUT')) is<Equal<typeof error.code, 'ERR_TIMEOUT'>>();
}

test('the types of runtimes hold in both directions', () => {});
