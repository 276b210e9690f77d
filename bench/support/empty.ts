/** The function that does nothing. */
export function empty(n: number): number {
  return n;
}
