/** The primes below 30. */
export const smallPrimes: readonly number[] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];
