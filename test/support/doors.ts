// Doors as tests need them: some methods only.
import type { Answers } from '../../src/kernel/index.ts';

/** Answers of which a test needs only some. */
export function some<M>(answers: Partial<Answers<M>>): Answers<M> {
  return answers as Answers<M>;
}
