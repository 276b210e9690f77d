// Why results cannot travel.
import { toError } from '../base/index.ts';
import type { Kernel } from '../kernel/index.ts';
import { encodeValue } from '../wire/index.ts';

/** Why a value cannot travel; undefined if it can. */
export function refusalOf(value: unknown, kernel: Kernel): Error | undefined {
  try {
    encodeValue(value, 'result', kernel.extensions);
    return undefined;
  } catch (error) {
    return toError(error);
  }
}
