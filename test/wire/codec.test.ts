import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlotillaError } from '../../src/base/index.ts';
import { Decoder, decodeValue, Encoder, encodeValue, LIMITS } from '../../src/wire/index.ts';

const trip = (value: unknown): any => decodeValue(Buffer.from(encodeValue(value)));
const refused = (value: unknown, path: string, pattern: RegExp, code = 'ERR_WIRE_CANNOT_TRAVEL') =>
  assert.throws(
    () => encodeValue(value, 'args'),
    (error: any) =>
      error instanceof FlotillaError &&
      error.code === code &&
      error.message.startsWith(`${path} cannot be sent`) &&
      pattern.test(error.message),
  );

test('what structured clone keeps arrives as it was', () => {
  const shared = { name: 'shared' };
  const values: unknown[] = [
    null,
    undefined,
    true,
    false,
    0,
    -0,
    1,
    63,
    64,
    -1,
    -32,
    -33,
    255,
    256,
    65_535,
    65_536,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    0.1,
    Number.NaN,
    Infinity,
    -Infinity,
    '',
    'a',
    'é',
    '日本',
    '🚢',
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(63),
    'x'.repeat(64),
    'é'.repeat(40),
    'x'.repeat(70_000),
    '\ud800 lone',
    '\u0000',
    0n,
    5n,
    -5n,
    2n ** 80n,
    -(2n ** 80n),
    new Date(0),
    /a+b/gi,
    new Map<unknown, unknown>([
      [1, 'x'],
      [{ a: 1 }, new Set([1, 'two'])],
    ]),
    new Set(),
    [],
    [1, [2, [3]]],
    {},
    { a: { b: { c: undefined } } },
    new URL('http://example.test/a?b#c'),
    [shared, shared],
  ];
  for (const value of values) assert.deepStrictEqual(trip(value), value);
  assert.ok(Number.isNaN(trip(new Date(Number.NaN)).getTime()));
  assert.ok(Object.is(trip(-0), -0));
  assert.ok(Object.is(trip([{ a: -0 }])[0].a, -0));
});

test('arrays of bytes keep their type and content', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => i);
  for (const View of [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ]) {
    const view = new View(bytes.buffer.slice(0, 40));
    const back = trip({ view }).view;
    assert.equal(back.constructor, View);
    assert.deepStrictEqual(back, view);
  }
  assert.deepStrictEqual(trip(bytes.buffer), bytes.buffer);
  assert.deepStrictEqual(trip(new DataView(bytes.buffer, 3, 9)), new DataView(bytes.buffer.slice(3, 12)));
  assert.ok(Buffer.isBuffer(trip(Buffer.from('abc'))));
  assert.deepStrictEqual(trip(bytes.subarray(3, 7)), bytes.slice(3, 7));
});

test('what lay in the buffer before is not sent along', () => {
  const buffer = Buffer.alloc(4096, 0xee);
  const encoder = new Encoder(undefined, buffer);
  encoder.beginFrame();
  encoder.value([new Uint8Array(3), new Float64Array(2)]);
  assert.ok(!encoder.buffer.subarray(encoder.start, encoder.position).includes(0xee));
});

test('holes, cycles and shared references keep their shape', () => {
  const sparse: number[] = [1];
  sparse[2] = 3;
  assert.equal(1 in trip(sparse), false);
  assert.equal(trip(sparse).length, 3);
  const loop: any = { list: [] };
  loop.self = loop;
  loop.list.push(loop, new Map([['loop', loop]]));
  const back = trip(loop);
  assert.equal(back.self, back);
  assert.equal(back.list[0], back);
  assert.equal(back.list[1].get('loop'), back);
  const shared = { n: 1 };
  const pair = trip([shared, { again: shared }]);
  assert.equal(pair[0], pair[1].again);
});

test('errors keep name, message, code, cause, own properties and, where built in, their class', () => {
  const error: any = new TypeError('wrong', { cause: new RangeError('inner') });
  error.code = 'E_MINE';
  error.details = { at: 3 };
  const back = trip(error);
  assert.equal(back.constructor, TypeError);
  assert.equal(back.message, 'wrong');
  assert.equal(back.code, 'E_MINE');
  assert.deepStrictEqual(back.details, { at: 3 });
  assert.ok(back.cause instanceof RangeError);
  assert.equal(back.stack, error.stack);
  class Custom extends Error {
    override name = 'Custom';
  }
  assert.equal(trip(new Custom('x')).name, 'Custom');
  const many = trip(new AggregateError([new Error('a'), new Error('b')], 'all'));
  assert.ok(many instanceof AggregateError);
  assert.deepStrictEqual(
    many.errors.map((e: Error) => e.message),
    ['a', 'b'],
  );
  const ours = trip(new FlotillaError('ERR_TIMEOUT', 'late', { details: { ms: 5 } }));
  assert.equal(ours.code, 'ERR_TIMEOUT');
  assert.equal(ours.retry, 'later');
  assert.equal(ours.ms, 5);
});

test('what hangs on an error and cannot travel does not hide the error', () => {
  const error: any = new Error('real');
  error.request = { socket: () => {} };
  error.cause = Promise.resolve();
  const back = trip(error);
  assert.equal(back.message, 'real');
  assert.match(back.request, /not sent: it is a function/);
  assert.match(back.cause, /not sent: it is a Promise/);
});

test('what cannot travel is refused with the path to it', () => {
  refused([{ device: { handle: () => {} } }], 'args[0].device.handle', /it is a function/);
  refused([1, Symbol('s')], 'args[1]', /symbol/);
  refused({ 'odd key': Promise.resolve() }, 'args["odd key"]', /Promise/);
  refused(new Map([['k', new WeakMap()]]), 'args.get("k")', /WeakMap/);
  refused(new Set([new WeakRef({})]), 'args.values()[0]', /WeakRef/);
  class Counter {
    #count = 0;
    up() {
      return ++this.#count;
    }
  }
  refused([new Counter()], 'args[0]', /Counter, which has private state/);
  refused([new SharedArrayBuffer(8)], 'args[0]', /SharedArrayBuffer/);
  let deep: any = [];
  for (let i = 0; i < LIMITS.depth + 10; i++) deep = [deep];
  assert.throws(
    () => encodeValue(deep),
    (error: any) => error.code === 'ERR_WIRE_LIMIT' && error.message.length < 600 && error.path.length > 3 * LIMITS.depth,
  );
});

test('a refused value leaves nothing behind: what is written after it is read as ever', () => {
  const encoder = new Encoder();
  encoder.beginFrame();
  encoder.value({ a: 1, b: 'x' });
  assert.throws(() => encoder.value({ c: { d: 1 }, e: () => {} }));
  encoder.value({ a: 2, b: 'y' });
  encoder.value({ c: { d: 2 }, e: 3 });
  const decoder = new Decoder();
  decoder.begin(encoder.buffer, encoder.start, encoder.position);
  const all = [];
  while (decoder.more) all.push(decoder.value());
  assert.deepStrictEqual(all, [
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
    { c: { d: 2 }, e: 3 },
  ]);
});

test('keys of prototypes are own properties and nothing else', () => {
  const evil = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}, "then": 5, "toString": 6}');
  const back = trip(evil);
  assert.deepStrictEqual(Object.keys(back), ['__proto__', 'constructor', 'then', 'toString']);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.equal((back as { polluted?: unknown }).polluted, undefined);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('any value that structured clone takes comes back equal', () => {
  const leaf = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.bigInt(),
    fc.constant(null),
    fc.constant(undefined),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.float64Array(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 8, noNullPrototype: true }),
      fc.array(fc.tuple(leaf, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
      fc.array(leaf, { maxLength: 6 }).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(value, (sent) => assert.deepStrictEqual(trip(sent), structuredClone(sent))),
    { numRuns: 2_000, seed: 42 },
  );
});

test('several values in a frame share a dictionary and come back in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: fc.integer(), name: fc.string(), at: fc.option(fc.double()) }, { requiredKeys: [] }), { maxLength: 80 }),
      (values) => {
        const encoder = new Encoder();
        encoder.beginFrame();
        for (const value of values) encoder.value(value);
        const decoder = new Decoder();
        decoder.begin(encoder.buffer, encoder.start, encoder.position);
        const back = [];
        while (decoder.more) back.push(decoder.value());
        assert.deepStrictEqual(
          back,
          values.map((v) => ({ ...v })),
        );
      },
    ),
    { numRuns: 500, seed: 7 },
  );
});

test('a number that must be one is malformed if it is something else', () => {
  const encoder = new Encoder();
  encoder.beginFrame();
  encoder.value(7);
  encoder.value('7');
  const decoder = new Decoder();
  decoder.begin(encoder.buffer, encoder.start, encoder.position);
  assert.equal(decoder.number(), 7);
  assert.throws(() => decoder.number(), { code: 'ERR_WIRE_MALFORMED' });
});
