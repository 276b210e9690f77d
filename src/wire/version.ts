// The protocol that two runtimes agree to speak.

/** The protocol versions that this package speaks. */
export const VERSION = { oldest: 3, newest: 3 } as const;

/** The newest version that both ranges have; undefined if none. */
export function agreeVersion(a: { oldest: number; newest: number }, b: { oldest: number; newest: number }): number | undefined {
  const version = Math.min(a.newest, b.newest);
  return version >= a.oldest && version >= b.oldest ? version : undefined;
}
