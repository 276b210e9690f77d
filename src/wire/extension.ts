// Objects that travel by more than their data, as references and registered classes do. Upper rooms say how.

/** Values that upper rooms know how to send. */
export interface Extensions {
  /** Gives the code and the plain payload that stand for an object; undefined if the extension does not know it. */
  replace(value: object): { readonly code: number; readonly payload: unknown } | undefined;
  /** Gives the object that a code and a payload stand for. Throws the error that says what is wrong with them. */
  revive(code: number, payload: unknown): unknown;
}

/** No extension at all. */
export const NO_EXTENSIONS: Extensions = {
  replace: () => undefined,
  revive: (code) => {
    throw new RangeError(`no extension ${code}`);
  },
};
