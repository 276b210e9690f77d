// Tables of options: what the compiler wants of one, and what it tells of wrong options.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abortSignal, callback, defineOptions, either, flag, list, number, oneOf, text } from '../../src/base/index.ts';

interface Brewing {
  /** Cups. */
  readonly cups?: number;
  readonly roast?: 'light' | 'dark';
  readonly sugar?: boolean | number;
  readonly onCup?: (cup: number) => void;
  readonly guests?: readonly string[];
  readonly signal?: AbortSignal;
}

const rows = {
  cups: { is: number(1, 12), also: ['tassen'] },
  roast: { is: oneOf('light', 'dark') },
  sugar: { is: either(flag, number(0)) },
  onCup: { is: callback },
  guests: { is: list },
  signal: { is: abortSignal },
} as const;
const BREWING = defineOptions<Brewing>('Coffee', rows);

test('a table has a row for each option, of its type', () => {
  const { signal, ...some } = rows;
  // @ts-expect-error: an option without a row is not checked
  defineOptions<Brewing>('Coffee', some);
  // @ts-expect-error: a number is no text
  defineOptions<Brewing>('Coffee', { ...rows, cups: { is: text } });
  // @ts-expect-error: there is no such roast
  defineOptions<Brewing>('Coffee', { ...rows, roast: { is: oneOf('light', 'burnt') } });
  // @ts-expect-error: a function is no number
  defineOptions<Brewing>('Coffee', { ...rows, cups: { is: callback } });
  assert.equal(signal.is(new AbortController().signal), undefined);
});

test('options that are right are given back; wrong ones are told what they must be, or their right name', () => {
  const options = { cups: 2, roast: 'dark', sugar: false, onCup: () => {}, guests: [], signal: undefined };
  assert.equal(BREWING.check(options), options);
  assert.deepEqual(BREWING.check(undefined), {});
  const told = (wrong: unknown): string => {
    try {
      return JSON.stringify(BREWING.check(wrong));
    } catch (error) {
      return String(error);
    }
  };
  assert.match(told({ cups: '2' }), /Coffee: 'cups' must be a number, from 1 to 12; it is '2'\./);
  assert.match(told({ roast: 'burnt' }), /'roast' must be 'light' or 'dark'/);
  assert.match(told({ tassen: 2 }), /Coffee has no option 'tassen'\. Here it is 'cups'\. It knows: cups, roast/);
  assert.match(told({ cup: 2 }), /Did you mean 'cups'\?/);
  assert.match(told('strong'), /the options must be an object; they are 'strong'/);
});
