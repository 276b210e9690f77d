// Values of every kind, there and back; what throws; what is cancelled.
import { isDeepStrictEqual } from 'node:util';
import type { Choice } from '../choice.ts';
import { fail, forever, give } from '../work.ts';
import { describe, type Job } from './context.ts';

// isDeepStrictEqual of Node 20 takes no invalid date for another: those are left to the tests of the codec.
const LEAVES: readonly ((choice: Choice) => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => -0,
  () => Number.NEGATIVE_INFINITY,
  () => 2n ** 200n,
  () => -1n,
  () => '',
  () => 'lone \ud800 and 😀',
  () => new Date(0),
  () => /a\/b/giu,
  () => new Float64Array([1, Number.NaN, -0]),
  () => new Uint8Array(0),
  () => new ArrayBuffer(3),
  () => new DataView(new ArrayBuffer(8), 2, 3),
  (choice) => choice.between(-(2 ** 31), 2 ** 31),
  (choice) => 'x'.repeat(choice.between(0, 5_000)),
];

function anyValue(choice: Choice, depth: number): unknown {
  if (depth === 0 || choice.chance(0.3)) return choice.one(LEAVES)(choice);
  const some = <T>(make: () => T): T[] => Array.from({ length: choice.between(0, 4) }, make);
  const inner = (): unknown => anyValue(choice, depth - 1);
  switch (choice.weighted({ array: 3, object: 3, map: 2, set: 1, shared: 1 })) {
    case 'array':
      return some(inner);
    case 'object':
      return Object.fromEntries(some(() => [`k${choice.between(0, 99)}`, inner()]));
    case 'map':
      return new Map(some(() => [inner(), inner()]));
    case 'set':
      return new Set(some(inner));
    case 'shared': {
      const one = { self: undefined as unknown, inner: inner() };
      one.self = one;
      return [one, one];
    }
  }
}

export const values: Job = async ({ client, choice, checked, broken, worker }) => {
  for (let left = choice.between(5, 60); left > 0; left--) {
    const value = anyValue(choice, 4);
    const back = await client.with({ retries: 1_000 }).run(give, value);
    worker(back.pid);
    if (!isDeepStrictEqual(back.value, value)) broken('a value came back as another');
    checked('values', 1);
  }
};

export const thrown: Job = async ({ client, choice, checked, broken }) => {
  const text = `thrown ${choice.between(0, 1e9)}`;
  const error = await client
    .with({ retries: 1_000 })
    .run(fail, text)
    .catch((caught: unknown) => caught);
  const { name, message, detail, stack = '' } = error as RangeError & { detail: number };
  if (name !== 'RangeError' || message !== text || detail !== text.length) broken(`what was thrown came as ${describe(error)}`);
  if (!stack.includes('work.')) broken(`the stack of what was thrown does not name its file: ${stack}`);
  checked('errors', 1);
};

const CANCEL_MS = 5_000;

// A function that does not listen costs its worker's life, and with it the tasks that run beside: which it is is told before.
export const cancelled: Job = async ({ client, choice, checked, broken, kills }) => {
  const since = Date.now();
  const worker = choice.one(client.workers().filter(({ state }) => state === 'ready'));
  if (!worker) return;
  kills(worker.pid);
  const stop = new AbortController();
  const reason = new Error('the soak stops it');
  const ended = client
    .with({ signal: stop.signal, retries: 1_000, at: worker.name })
    .run(forever)
    .then(
      () => 'a result',
      (error: unknown) => (error === reason ? 'stopped' : describe(error)),
    );
  setTimeout(
    () => {
      kills(worker.pid); // its end is half a second away
      stop.abort(reason);
    },
    choice.between(0, 700),
  );
  const how = await ended;
  if (how.startsWith('ERR_HOST_UNKNOWN')) return; // it has been granted to another client since
  if (how !== 'stopped') broken(`a call that was stopped ended with ${how}`);
  else if (Date.now() - since > CANCEL_MS) broken(`a call that was stopped ended after ${Date.now() - since} ms`);
  checked('calls stopped', 1);
};
