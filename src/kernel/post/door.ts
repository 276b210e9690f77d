// Doors: the numbered places at which runtimes ask each other and tell each other something. A door is defined once, in the protocol
// file of the room that answers, and askers, answerers and the guard between them are all checked against that definition.
//
// Numbers go by room: kernel from 0, host 16, cluster 24, worker 32, shared 40, pipeline 48.
import { FlotillaError, type Kind, list, type RuntimeId, record, shown, whole } from '../../base/index.ts';

/** The number of the first task: doors are below it. */
export const FIRST_TASK = 64;

/** A notice is told without waiting for an answer; it has a kind, and fields of that kind. */
export interface Notice {
  readonly kind: string;
}

/** The request that is being answered: the peer that asks, and a signal that aborts when it no longer wants to know. */
export interface Asked {
  readonly peer: RuntimeId;
  /** The number that the peer gave the request. */
  readonly id: number;
  readonly signal: AbortSignal;
}

/** The arguments of a method. */
export type Args<F> = F extends (...args: infer A) => unknown ? A : never;
/** The answer of a method. */
export type Answer<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

/** The methods of a door, as the asker has them. */
export type Asks<M> = { readonly [K in keyof M]: (...args: Args<M[K]>) => Promise<Answer<M[K]>> };

/** The methods of a door, as the answerer has them. */
export type Answers<M> = { readonly [K in keyof M]: (asked: Asked, ...args: Args<M[K]>) => Answer<M[K]> | Promise<Answer<M[K]>> };

type Kinds<A extends readonly unknown[]> = { readonly [I in keyof A]-?: Kind<A[I]> };

/** The kind of each argument of each method. */
export type MethodKinds<M> = { readonly [K in keyof M]: Kinds<Args<M[K]>> };

/** The kind of each field of each notice. */
export type NoticeKinds<N extends Notice> = { readonly [K in N['kind']]: FieldKinds<Omit<Extract<N, { readonly kind: K }>, 'kind'>> };
type FieldKinds<T> = { readonly [F in keyof T]-?: Kind<T[F]> };

const ASK = Symbol('ask');

/** Carries a question to the answerer at a door. */
type Ask = (method: string, args: readonly unknown[]) => Promise<unknown>;

/** Says what is wrong with a request; undefined if nothing is. */
type RequestGuard = (method: unknown, args: unknown) => string | undefined;

/** A door: `M` are its methods, `N` the notices that are told there. */
export class Door<M, N extends Notice> {
  readonly name: string;
  readonly number: number;
  readonly #guard: RequestGuard;
  readonly #notices: ReadonlyMap<string, Kind>;
  /** The methods, each of which hands its arguments on. All askers share them as the prototype of their own. */
  readonly #methods: object;

  constructor(name: string, number: number, methods: readonly string[], guard: RequestGuard, notices: NoticeKinds<N>) {
    this.name = name;
    this.number = number;
    this.#guard = guard;
    this.#notices = new Map(Object.entries<Record<string, Kind>>(notices).map(([kind, fields]) => [kind, record(fields)]));
    this.#methods = Object.fromEntries(methods.map((method) => [method, asking(method)]));
  }

  /** The methods, to be called like those of an object. */
  asks(ask: Ask): Asks<M> {
    const asks = Object.create(this.#methods);
    asks[ASK] = ask;
    return asks;
  }

  /** Throws ERR_REQUEST_INVALID unless each argument is what it must be. An unknown method passes: the answerer says so. */
  checkRequest(method: unknown, args: unknown): void {
    const wrong = this.#guard(method, args);
    if (wrong !== undefined) throw new FlotillaError('ERR_REQUEST_INVALID', `The door '${this.name}' does not take this: ${wrong}.`);
  }

  /** Gives a notice back, checked. Throws ERR_REQUEST_INVALID. */
  checkNotice(value: unknown): N {
    const kind = (value as Partial<Notice> | null | undefined)?.kind;
    const fields = kind === undefined ? undefined : this.#notices.get(kind);
    const must = fields ? fields(value) : `of a kind that is told there (${[...this.#notices.keys()].join(', ') || 'there is none'})`;
    if (must === undefined) return value as N;
    throw new FlotillaError(
      'ERR_REQUEST_INVALID',
      `The door '${this.name}' does not take this: the notice '${String(kind)}' must be ${must}; it is ${shown(value)}.`,
    );
  }
}

function asking(method: string): (this: { readonly [ASK]: Ask }, ...args: unknown[]) => Promise<unknown> {
  return function (...args) {
    return this[ASK](method, args);
  };
}

/** Defines a door. */
export function door<M, N extends Notice = never>(
  name: string,
  number: number,
  methods: MethodKinds<M>,
  notices: NoticeKinds<N> = {} as NoticeKinds<N>,
): Door<M, N> {
  const kinds = new Map(Object.entries<readonly Kind[]>(methods));
  const guard: RequestGuard = (method, args) => {
    const all = typeof method === 'string' ? kinds.get(method) : undefined;
    if (!all) return undefined;
    if (!Array.isArray(args) || args.length > all.length) return `'${method}' has ${all.length} arguments`;
    for (let i = 0; i < all.length; i++) {
      const must = all[i]?.(args[i]);
      if (must !== undefined) return `argument ${i + 1} of '${method}' must be ${must}; it is ${shown(args[i])}`;
    }
    return undefined;
  };
  return new Door<M, N>(name, number, [...kinds.keys()], guard, notices);
}

/** The methods of a door where functions are asked by number: none has a name. */
export type ByNumber = Record<never, never>;

const NUMBER = whole(0, Number.MAX_SAFE_INTEGER);

/** Defines a door at which functions are asked by number, each with arguments of its own. */
export function workDoor<N extends Notice = never>(
  name: string,
  number: number,
  args: Kind = list,
  notices: NoticeKinds<N> = {} as NoticeKinds<N>,
): Door<ByNumber, N> {
  const guard: RequestGuard = (fn, given) => {
    if (NUMBER(fn) !== undefined) return `a function is asked by its number; it is ${shown(fn)}`;
    const must = args(given);
    return must === undefined ? undefined : `the arguments of function ${String(fn)} must be ${must}; they are ${shown(given)}`;
  };
  return new Door<ByNumber, N>(name, number, [], guard, notices);
}
