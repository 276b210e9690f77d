import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededBytes, seededRandom } from '../../src/testing/index.ts';
import { Decoder, encodeValue, type FrameHandler, FrameSplitter, KIND, type Lander } from '../../src/wire/index.ts';

const INPUTS = 300_000;

test(`${INPUTS} hostile inputs to the decoder end with a value or a typed error, quickly and in little memory`, (t) => {
  const random = seededRandom(11);
  const bytes = seededBytes(random);
  const seeds = [
    {
      a: [1, 'two', new Map([[1, new Set([2])]])],
      b: Buffer.alloc(20),
      e: new Error('x', { cause: [1] }),
      n: 10n ** 30n,
      d: new Date(),
      u: undefined,
    },
    Array.from({ length: 50 }, (_, i) => ({ id: i, name: `n${i}` })),
    [new Float64Array(9), /x/g, 'é'.repeat(90)],
  ].map((value) => Buffer.from(encodeValue(value)));
  const decoder = new Decoder();
  let values = 0;
  let refused = 0;
  const started = performance.now();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < INPUTS; i++) {
    let input: Buffer;
    if (i % 3 === 0) input = Buffer.from(bytes(1 + Math.floor(random() * 64)));
    else {
      input = Buffer.from(seeds[i % seeds.length]!);
      for (let m = 0; m < 1 + random() * 4; m++) input[Math.floor(random() * input.length)] = random() * 256;
      if (random() < 0.2) input = input.subarray(0, Math.floor(random() * input.length));
    }
    decoder.begin(input, 0, input.length);
    try {
      while (decoder.more) decoder.value();
      values++;
    } catch (error) {
      refused++;
      assert.match((error as { code: string }).code, /^ERR_WIRE_(MALFORMED|LIMIT)$/);
    }
  }
  const ms = performance.now() - started;
  assert.ok(ms < 60_000);
  assert.ok(process.memoryUsage().heapUsed - before < 200e6);
  t.diagnostic(`${INPUTS} inputs: ${values} gave values, ${refused} were refused, ${((ms / INPUTS) * 1000).toFixed(1)} us each`);
});

test('hostile lengths and depths are refused without allocating what they claim', () => {
  const decoder = new Decoder();
  const hostile = [
    [0xcd, 0xff, 0xff, 0xff, 0x7f],
    [0xd0, 0xff, 0xff, 0xff, 0x7f],
    [0xca, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0xd4, 4, 0xff, 0xff, 0xff, 0x7f, 0],
    Array(100_000).fill(0xa1),
    [0xd7, ...Array(50_000).fill(0xa1), 0],
    [0xce, 0x05, 0x7f, 1, 2, 3, 4],
  ];
  for (const bytes of hostile) {
    decoder.begin(Buffer.from(bytes), 0, bytes.length);
    assert.throws(() => decoder.value(), { code: /^ERR_WIRE_(MALFORMED|LIMIT)$/ });
  }
});

test('frames are found in any chunking, kept or read where they belong, and a length that cannot be is refused', () => {
  const random = seededRandom(3);
  const frames = Array.from({ length: 400 }, (_, i) => ({
    kind: KIND.MESSAGE as number,
    target: i % 3 === 0 ? i * 1000 : i % 100,
    payload: Buffer.from(seededBytes(random)(Math.floor(random() * (i % 50 === 0 ? 100_000 : 200)))),
  }));
  const whole = Buffer.concat(
    frames.map(({ kind, target, payload }) => {
      const head = [kind];
      for (let v = target; ; v = Math.floor(v / 128)) {
        head.push(v >= 128 ? (v % 128) | 128 : v);
        if (v < 128) break;
      }
      const length = Buffer.alloc(4);
      length.writeUInt32BE(head.length + payload.length);
      return Buffer.concat([length, Buffer.from(head), payload]);
    }),
  );
  for (let round = 0; round < 30; round++) {
    let n = 0;
    let landing: { into: Buffer; kind: number } | undefined;
    const found = (kind: number, target: number, payload: Buffer): void => {
      const frame = frames[n++]!;
      assert.equal(kind, frame.kind);
      assert.equal(target, frame.target);
      assert.ok(payload.equals(frame.payload));
    };
    const lander: Lander = {
      land(kind, _target, _buffer, start, end, missing) {
        const into = Buffer.alloc(end - start + missing);
        landing = { into, kind };
        return { from: start, into };
      },
      landed(kind, target) {
        found(kind, target, landing!.into);
        landing = undefined;
      },
    };
    const handle: FrameHandler = (kind, target, buffer, start, end) => found(kind, target, buffer.subarray(start, end));
    const splitter = new FrameSplitter(handle, round % 2 === 0 ? lander : undefined);
    const most = [1, 3, 7, 100, 65_536, whole.length][round % 6]!;
    for (let at = 0; at < whole.length; ) {
      const size = Math.max(1, Math.floor(random() * most));
      const place = round % 3 === 0 ? undefined : splitter.place();
      if (place) {
        const count = whole.copy(place, 0, at, Math.min(whole.length, at + size));
        splitter.placed(count);
        at += count;
      } else {
        splitter.push(whole.subarray(at, at + size));
        at += size;
      }
    }
    assert.equal(n, frames.length);
  }
  assert.throws(() => new FrameSplitter(() => {}).push(Buffer.from([0xff, 0xff, 0xff, 0xff, 1])), { code: 'ERR_WIRE_LIMIT' });
});
