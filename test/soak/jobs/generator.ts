// The values of a generator on a worker: each once, in order, `undefined` ones too.
import { count } from '../work.ts';
import { describe, type Job } from './context.ts';

export const generator: Job = async ({ client, choice, checked, broken }) => {
  const since = Date.now();
  const total = choice.between(0, 1_000);
  const from = choice.between(0, 1e6);
  const stopAt = choice.chance(0.2) ? choice.between(1, total + 1) : total + 1;
  let seen = 0;
  try {
    for await (const value of client.run(count, total, from, choice.one([0, 0, 5]))) {
      const due = seen % 7 === 6 ? undefined : from + seen;
      if (value !== due) return broken(`a generator gave ${value} as its value ${seen}, not ${due}`);
      seen++;
      if (seen === stopAt) break;
    }
    if (seen !== Math.min(total, stopAt)) broken(`a generator of ${total} values ended after ${seen}`);
  } catch (error) {
    broken(`a generator failed after ${seen} of ${total} values: ${describe(error)}`, { killsSince: since });
  }
  checked('values of generators', seen);
};
