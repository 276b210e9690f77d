// What is more than its own properties is refused with its path, never sent as less than it is.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { decodeValue, encodeValue } from '../../src/wire/index.ts';

const refused = (value: unknown, reason: RegExp): void =>
  assert.throws(
    () => encodeValue({ deep: [value] }, 'args'),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_WIRE_CANNOT_TRAVEL');
      assert.match(error.message, /^args\.deep\[0\] cannot be sent: it is an? /);
      assert.match(error.message, reason);
      return true;
    },
    `${Object.prototype.toString.call(value)} is not refused`,
  );

function* numbers(): Generator<number> {
  yield 1;
}
async function* later(): AsyncGenerator<number> {
  yield 1;
}

test('generators and iterators are refused, and what to do instead is said', () => {
  refused(numbers(), /it is a generator.*run\(\)/);
  refused(later(), /it is an async generator.*run\(\)/);
  for (const values of [[1].values(), new Map([[1, 2]]).entries(), new Set([1]).values(), 'text'[Symbol.iterator](), 'text'.matchAll(/t/g)])
    refused(values, /an iterator.*\[\.\.\.values\]/);
  refused({ [Symbol.asyncIterator]: later }, /an iterable of its own making/);
  refused({ [Symbol.iterator]: numbers }, /an iterable of its own making/);
});

test('objects of the platform are refused, also where a class extends theirs', async (t) => {
  const key = await webcrypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const { port1, port2 } = new MessageChannel();
  const channel = new BroadcastChannel('x');
  t.after(() => [port1, port2, channel].map((one) => one.close()));
  const objects: object[] = [
    new ReadableStream(),
    new WritableStream(),
    new TransformStream(),
    key,
    new FormData(),
    new Headers({ a: 'b' }),
    new Response('x'),
    new Request('http://localhost'),
    new Blob(['x']),
    new URLSearchParams('a=b'),
    new EventTarget(),
    new Event('x'),
    new AbortController(),
    new TextEncoder(),
    channel,
    port1,
    new WeakMap(),
    new FinalizationRegistry(() => {}),
    new Intl.NumberFormat(),
    new (class extends FormData {
      readonly own = 1;
    })(),
  ];
  for (const object of objects) refused(object, /: it is an? \w+, which lives in this process only|: it is a WeakMap/);
});

test('private state is refused wherever in the line of classes it is', () => {
  class Account {
    #money = 1;
    get money(): number {
      return this.#money;
    }
  }
  class Saved extends Account {
    readonly name = 'x';
  }
  refused(new Saved(), /a Saved, which has private state/);
});

test('what is data travels as ever: plain objects of any making, and objects of classes that have nothing to hide', () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  class Point {
    x = 1;
    get double(): number {
      return this.x * 2;
    }
  }
  class Point3 extends Point {
    z = 3;
  }
  class Response {
    status = 200; // a name of the platform, and no object of it
  }
  class Counter {
    n = 0;
    next(): IteratorResult<number> {
      return { value: ++this.n, done: false };
    }
    [Symbol.iterator](): this {
      return this;
    }
  }
  const values = [{}, bare, Object.create({ inherited: 1 }), new Point(), new Point3(), new Response(), new Counter(), new (class {})()];
  for (const value of [...values, { constructor: 'x' }, { constructor: undefined }, { next: 1 }]) {
    const arrived = decodeValue(Buffer.from(encodeValue(value)));
    assert.deepEqual(Object.entries(arrived as object), Object.entries(value as object));
  }
});
