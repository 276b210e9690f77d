// The class registry: objects of its classes travel with their class, because both sides registered it under one name.
//
// Only a name and data cross the wire. Code that comes with data would run whatever a peer wants; and a constructor may open files or count
// instances, so an object is put together without it, as it was when it was sent.
//
//   CL1. A class is found by the name it was registered with on this side, never by anything else that arrived.
//   CL2. An object is made without running its constructor, from its own data, or by the class's own `fromWire`.
import { FlotillaError } from '../../base/index.ts';

/** The extension by which objects of registered classes travel. */
export const OBJECT_CODE = 4;
/** The most classes that one runtime registers. */
export const MOST_CLASSES = 10_000;

/** A class whose objects may travel. */
export type Travelling<T extends object = object> = (abstract new (
  ...args: never[]
) => T) & {
  /** Makes an object of the value that its `toWire()` gave, or else of its own enumerable properties. */
  fromWire?(data: never): T;
};

/** The classes that one runtime knows. */
export class ClassRegistry {
  readonly #byName = new Map<string, Travelling>();
  readonly #names = new Map<unknown, string>();

  /** Lets objects of a class travel, under a name (by default its own). Throws ERR_NAME_TAKEN, ERR_OPTION_INVALID or ERR_LIMIT. */
  register(made: Travelling, name: string = made?.name): void {
    if (typeof made !== 'function' || typeof name !== 'string' || name === '') {
      throw new FlotillaError('ERR_OPTION_INVALID', 'Only a class can be registered, and one without a name needs one given.');
    }
    const holder = this.#byName.get(name);
    if (holder === made) return;
    if (holder) throw new FlotillaError('ERR_NAME_TAKEN', `Another class is registered as '${name}'.`);
    if (this.#byName.size >= MOST_CLASSES) throw new FlotillaError('ERR_LIMIT', `${MOST_CLASSES} classes are registered already.`);
    this.#byName.set(name, made);
    this.#names.set(made.prototype, name);
  }

  replace(value: object): { code: number; payload: unknown } | undefined {
    if (this.#names.size === 0) return undefined;
    const prototype: unknown = Object.getPrototypeOf(value);
    const name = prototype === Object.prototype ? undefined : this.#names.get(prototype);
    if (name === undefined) return undefined;
    const { toWire } = value as { toWire?: () => unknown };
    return { code: OBJECT_CODE, payload: [name, typeof toWire === 'function' ? toWire.call(value) : { ...value }] };
  }

  revive(code: number, payload: unknown): unknown {
    if (code !== OBJECT_CODE || !Array.isArray(payload)) {
      throw new FlotillaError('ERR_WIRE_MALFORMED', `A value of a kind (${code}) that this runtime does not know arrived.`);
    }
    const [name, data] = payload as [string, object];
    const made = this.#byName.get(name); // CL1
    if (!made) {
      throw new FlotillaError(
        'ERR_WIRE_CLASS_UNKNOWN',
        `An object of the class '${String(name)}' arrived, which is not registered here. Call runtime.registerClass() on both sides.`,
      );
    }
    if (made.fromWire) return made.fromWire(data as never);
    const object = Object.create(made.prototype as object) as object;
    for (const key of Object.keys(data)) {
      Object.defineProperty(object, key, {
        value: (data as Record<string, unknown>)[key],
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return object; // CL2
  }
}
