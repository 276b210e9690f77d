// Finds the results that cannot travel, so that each fails its own item and not the batch.
import { toError } from '../base/index.ts';
import type { Post } from '../kernel/index.ts';
import { encodeValue } from '../wire/index.ts';
import type { BatchOutcome } from './protocol.ts';

/** The batch with each value that cannot travel as a failed item. */
export function withoutRefused({ values, failed, elapsed }: BatchOutcome, post: Post): BatchOutcome {
  const all = new Map(failed);
  const travelling = values.map((value, i) => {
    const refusal = refusalOf(value, post);
    if (refusal) all.set(i, refusal);
    return refusal ? undefined : value;
  });
  return { values: travelling, failed: [...all], elapsed };
}

// The error that says why a value cannot travel; undefined if it can.
function refusalOf(value: unknown, post: Post): Error | undefined {
  try {
    encodeValue(value, 'result', post.extensions);
    return undefined;
  } catch (error) {
    return toError(error);
  }
}
