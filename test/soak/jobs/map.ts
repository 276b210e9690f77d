// Numbers through `map`: every result right and there once, in order where that is promised, whatever is killed meanwhile.
import { mix, mixed } from '../work.ts';
import { describe, type Job } from './context.ts';

const STEP = 100;

export const map: Job = async ({ client, choice, checked, broken, worker }) => {
  const total = choice.between(50, 1_500);
  const ms = choice.one([0, 0, 1, 5]);
  const bytes = choice.one([0, 0, 100, 20_000]);
  const unordered = choice.chance(0.3);
  const stopAt = choice.chance(0.15) ? choice.between(1, total) : total;
  const window = choice.one([undefined, 16, 256]);
  const seen = new Set<number>();
  let steps = 0;
  const results = client
    .with({ retries: 1_000 })
    .map(mix, Array.from({ length: total }).keys(), { args: [ms, bytes], unordered, ...(window === undefined ? {} : { window }) });
  for await (const outcome of results.outcomes()) {
    const { index } = outcome;
    if ('error' in outcome && outcome.error !== undefined) return broken(`item ${index} of a map failed: ${describe(outcome.error)}`);
    const { value, pid, bulk } = outcome.value as ReturnType<typeof mix>;
    if (seen.has(index)) broken(`item ${index} of a map was given twice`);
    if (!unordered && index !== seen.size) broken(`item ${index} of a map came where ${seen.size} was due`);
    if (value !== mixed(index)) broken(`item ${index} of a map has a wrong result`);
    if (bulk.length !== bytes || bulk.some((byte) => byte !== (index & 255))) broken(`the bytes of item ${index} of a map are wrong`);
    if (!seen.has(index)) seen.add(index);
    if (seen.size % STEP === 0) {
      checked('items of map', STEP);
      steps++;
      worker(pid);
    }
    if (seen.size === stopAt) break;
  }
  if (seen.size !== stopAt) broken(`a map of ${total} items ended after ${seen.size}`);
  checked('items of map', seen.size - steps * STEP);
};
