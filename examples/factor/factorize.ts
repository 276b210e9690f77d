// Plain trial division: slow on purpose, so that there is something to share out.
import { smallPrimes } from './primes.ts';

/** The prime factors of a number, smallest first. */
export function factorize(number: number): number[] {
  const factors: number[] = [];
  let rest = number;
  const divideBy = (divisor: number): void => {
    while (rest % divisor === 0) {
      factors.push(divisor);
      rest /= divisor;
    }
  };
  for (const prime of smallPrimes) divideBy(prime);
  for (let divisor = 31; divisor * divisor <= rest; divisor += 2) divideBy(divisor);
  if (rest > 1) factors.push(rest);
  return factors;
}
