// What travels by more than its data: references, later registered classes. Upper rooms say how.

/** Values that upper rooms know how to send. */
export interface Extensions {
  /** The code and plain payload that stand for an object, or undefined if it is not ours. */
  replace(value: object): { readonly code: number; readonly payload: unknown } | undefined;
  /** The object that a code and payload stand for. Throws what is wrong with it. */
  revive(code: number, payload: unknown): unknown;
}

/** No extension at all. */
export const NO_EXTENSIONS: Extensions = {
  replace: () => undefined,
  revive: (code) => {
    throw new RangeError(`no extension ${code}`);
  },
};
