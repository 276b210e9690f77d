// Choices that a seed repeats.
import { seededRandom } from '../../src/testing/random.ts';

/** A source of choices. */
export class Choice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  one<T>(of: readonly T[]): T {
    return of[this.between(0, of.length - 1)] as T;
  }

  /** One of the names, as often as their weights say. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const all = Object.entries(weights) as [K, number][];
    let at = this.#random() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of all) if ((at -= weight) < 0) return name;
    return (all.at(-1) as [K, number])[0];
  }
}
