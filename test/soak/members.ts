// The clients of a soak: processes that come, work and go, are killed and stopped; and what must be so when they have gone.
//
//   M1. A client that nobody killed does all its jobs and ends by itself.
//   M2. The processes that worked for a client are gone soon after it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import { bornAt } from './processes.ts';
import type { ClientPlan, Told } from './protocol.ts';
import { Running } from './running.ts';

const PROGRAM = fileURLToPath(new URL('./program.js', import.meta.url));
/** What a client does first. */
export const CONNECT = 'connect';
const QUIET_MS = 60_000;
const CONNECT_MS = 30_000;
const END_MS = 15_000;
const WORKERS_GONE_MS = 20_000;

/** One client process. */
export interface Member {
  readonly plan: ClientPlan;
  readonly running: Running;
  readonly ready: Promise<void>;
  readonly workers: Map<number, string>;
  lastHeard: number;
  job: string;
  done: boolean;
}

/** The clients of one soak. */
export class Members {
  readonly all = new Set<Member>();
  /** How long everything may take longer now, because something was stopped. */
  graceUntil = 0;
  readonly #fleet: Fleet;
  readonly #ledger: Ledger;
  readonly #after = new Set<Promise<void>>();

  constructor(fleet: Fleet, ledger: Ledger) {
    this.#fleet = fleet;
    this.#ledger = ledger;
  }

  /** Starts the process; it connects when it is told to go. */
  start(plan: Omit<ClientPlan, 'folder'>): Member {
    const full = { ...plan, folder: join(this.#fleet.folder, 'files') };
    const env = plan.local ? this.#fleet.env : this.#fleet.clientEnv;
    const running = new Running(plan.name, [PROGRAM, JSON.stringify(full)], env, this.#fleet.folder);
    let ready = (): void => {};
    const member: Member = {
      plan: full,
      running,
      ready: new Promise((resolve) => (ready = resolve)),
      workers: new Map(),
      lastHeard: Date.now(),
      job: CONNECT,
      done: false,
    };
    this.all.add(member);
    running.onTold = (told) => {
      member.lastHeard = Date.now();
      if (told.kind === 'ready') ready();
      else this.#hear(member, told);
    };
    void running.exited.then((how) => {
      ready();
      this.#ended(member, how);
    });
    return member;
  }

  kill(member: Member): void {
    member.running.ending = true;
    member.running.signal('SIGKILL');
  }

  /** Tells of clients that say nothing any more, and ends them. */
  watch(): void {
    const now = Date.now();
    for (const member of this.all) {
      const { running, job, lastHeard, done } = member;
      const since = Math.max(lastHeard, this.graceUntil);
      const most = done ? END_MS : QUIET_MS;
      if (running.ending || running.busy || now - since < most) continue;
      running.ending = true;
      const what = done ? 'it was done and closed, and did not end' : `nothing came of its job '${job}'`;
      this.#ledger.claim(`${running.name}: ${what} for ${Math.round((now - lastHeard) / 1_000)} s`);
      running.order('explain');
      setTimeout(() => {
        this.#ledger.note(`${running.name} printed last:\n${running.tail}`);
        running.signal('SIGKILL');
      }, 1_000);
    }
  }

  /** Lets all end what they do; resolves when they are gone, and what worked for them. */
  async finish(ms: number): Promise<void> {
    for (const { running, plan } of this.all) {
      running.order('finish');
      if (plan.end === 'stay') running.ending = true;
    }
    for (const end = Date.now() + ms; Date.now() < end && [...this.all].some(({ running }) => !running.ending); ) {
      this.watch();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const { running } of this.all) {
      if (!running.ending) this.#ledger.claim(`${running.name} was told to finish, and did not within ${ms / 1_000} s`);
      running.ending = true;
      running.signal('SIGKILL');
    }
    await Promise.all([...this.all].map(({ running }) => running.exited));
    await Promise.all(this.#after);
  }

  /** Ends all, now. */
  async end(): Promise<void> {
    for (const member of this.all) this.kill(member);
    await Promise.all([...this.all].map(({ running }) => running.exited));
  }

  #hear(member: Member, told: Told): void {
    switch (told.kind) {
      case 'connected':
        this.#ledger.note(`${told.client} connected after ${told.ms} ms`);
        if (told.ms > CONNECT_MS && Date.now() - told.ms > this.graceUntil)
          this.#ledger.claim(`${told.client} waited ${Math.round(told.ms / 1_000)} s for its first worker`);
        return this.#ledger.right('connects', 1);
      case 'begins':
        member.job = told.job;
        return this.#ledger.note(`${told.client} begins ${told.job}`);
      case 'checked':
        return this.#ledger.right(told.what, told.count);
      case 'worker':
        return void member.workers.set(told.pid, bornAt(told.pid) ?? '');
      case 'kills':
        return this.#ledger.kills([told.pid]);
      case 'broken':
        return this.#ledger.claim(told.text, told.excuse);
      case 'warned':
        return this.#ledger.note(`says ${told.text}`);
      case 'explained':
        return this.#ledger.note(`${member.running.name} explains ${told.text}`);
      case 'done':
        member.done = true;
        return;
      default:
        return;
    }
  }

  // M1, M2
  #ended(member: Member, how: string): void {
    const { running, done } = member;
    this.all.delete(member);
    this.#ledger.note(`${running.name} ended (${how})`);
    if (!running.ending && (how !== 'code 0' || !done))
      this.#ledger.claim(`${running.name} ended with ${how} in its job '${member.job}'; it printed last:\n${running.tail}`);
    const after = this.#workersGone(member).finally(() => this.#after.delete(after));
    this.#after.add(after);
  }

  async #workersGone({ running, workers }: Member): Promise<void> {
    const left = (): number[] => [...workers].filter(([pid, born]) => born !== '' && bornAt(pid) === born).map(([pid]) => pid);
    const ended = Date.now();
    for (;;) {
      const pids = left();
      if (pids.length === 0) return;
      if (Date.now() - Math.max(ended, this.graceUntil) > WORKERS_GONE_MS)
        return this.#ledger.claim(
          `${running.name} has ended, and processes that worked for it are there ${Math.round((Date.now() - ended) / 1_000)} s later: ${pids.join(', ')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
