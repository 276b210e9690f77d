// One tenant of a host: its folder, its code, its set-up process, its processes beside places, and the notices that wait for it.
import { FlotillaError, type RuntimeId, type Timer } from '../base/index.ts';
import type { UnitHead } from '../code/index.ts';
import { fileError, type Post } from '../kernel/index.ts';
import { Beside } from './beside.ts';
import type { Ground, Home } from './ground.ts';
import { Outbox } from './outbox.ts';
import type { HostNotice } from './protocol.ts';
import type { HostSettings } from './settings.ts';
import { Slot, type SlotHost, type Stay } from './slot.ts';

/** The number of the process that sets a host up, before any worker. */
export const SET_UP_SLOT = 0;
const MOST_HELD = 1_000;
const ATTACH_MS = 60_000;
/** Timers are not exact: a pulse that has passed but for this counts as passed, or its client would wait for two. */
const EARLY = 0.9;

/** A client of a host. */
export class Tenant implements Stay {
  readonly home: Home;
  readonly number: number;
  readonly outbox: Outbox;
  /** Its processes beside places. */
  readonly beside: Beside;
  /** The notices from before the client attached; it is told them when it does. */
  readonly held: HostNotice[] = [];
  attached = false;
  /** Whether its workers may start. */
  begun = false;
  /** Its pulse, in ms. */
  pulse: number | undefined;
  #patience: Timer | undefined;
  #beatAt = Number.NEGATIVE_INFINITY;
  readonly #id: RuntimeId;
  readonly #ground: Ground;
  readonly #host: SlotHost;
  readonly #options: { readonly name: string; readonly settings?: HostSettings };
  #setUp: Slot | undefined;

  constructor(
    id: RuntimeId,
    number: number,
    post: Post,
    host: SlotHost,
    options: { readonly name: string; readonly ground: Ground; readonly settings?: HostSettings },
  ) {
    const { ground } = options;
    this.#id = id;
    this.number = number;
    this.outbox = new Outbox(post, id);
    this.#ground = ground;
    this.#host = host;
    this.#options = options;
    this.home = ground.enter(id, number);
    this.beside = new Beside(host, id, this);
  }

  /** Waits for the client to attach; a grant that nobody comes for is not kept. */
  expect(late: () => void): void {
    if (this.attached) return;
    this.heard();
    this.#patience = this.#host.clock.after(ATTACH_MS, late, { background: true });
  }

  /** The client is here, and wants to hear of this host once in each pulse, in ms. */
  attach(pulse?: number): void {
    this.attached = true;
    this.pulse = pulse;
    this.outbox.open();
    this.heard();
  }

  /** The client fell silent: `late` is called when it is not heard for so long. */
  silent(ms: number, late: () => void): void {
    this.heard();
    this.#patience = this.#host.clock.after(ms, late);
  }

  /** The client was heard again. */
  heard(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
  }

  /** Whether a pulse of the client has passed since this was last true; never, if it has told none. */
  beats(): boolean {
    if (this.pulse === undefined) return false;
    const now = this.#host.clock.now();
    if (now - this.#beatAt < this.pulse * EARLY) return false;
    this.#beatAt = now;
    return true;
  }

  hold(notice: HostNotice): void {
    if (this.held.length < MOST_HELD) this.held.push(notice);
  }

  /** Gives units their names in the client's folder; returns the hashes of those whose text is not here. */
  async provide(units: readonly UnitHead[]): Promise<string[]> {
    this.#checkCode();
    return this.#kept(this.#ground.store.provide(this.home.folder, units, this.home.account));
  }

  async put(hash: string, text: string): Promise<void> {
    this.#checkCode();
    await this.#kept(this.#ground.store.put(hash, text));
  }

  async #kept<T>(writing: Promise<T>): Promise<T> {
    try {
      return await writing;
    } catch (error) {
      const remedy = 'Free some space there, or start that host with --dest on another disk';
      throw fileError(`Host '${this.#options.name}' cannot keep the code of its client`, error, remedy);
    }
  }

  /** The place of the process that sets this host up. */
  setUp(): Slot {
    const name = `${this.#options.name}/${SET_UP_SLOT}`;
    this.#setUp ??= new Slot(this.#host, { number: SET_UP_SLOT, client: this.#id, stay: this, epoch: 0, name });
    return this.#setUp;
  }

  async endSetUp(): Promise<void> {
    const slot = this.#setUp;
    this.#setUp = undefined;
    slot?.closingSoon('the host is set up', false);
    await slot?.end('the host is set up');
  }

  async close(): Promise<void> {
    this.heard();
    if (!this.attached) this.outbox.end();
    await Promise.all([this.endSetUp(), this.beside.close()]);
  }

  #checkCode(): void {
    if (!this.#options.settings?.onlyRegistered) return;
    throw new FlotillaError(
      'ERR_CODE_REFUSED',
      `Host '${this.#options.name}' takes no code (--only-registered): it runs what is installed there, by client.module('PACKAGE').`,
    );
  }
}
