// What the soak does to its cluster, one thing after the other, as its seed chooses.
//
//   A1. Who is silent is not cut off as well: one whose connections end, and who is not back within the limit, has ended for all others.
//   A2. Two silences longer than the limit do not overlap: in the first, others end their connections with the one that is silent, and
//       whoever of them is silent then is not back within the limit.
import { spawn } from 'node:child_process';
import type { Choice } from './choice.ts';
import { type Fleet, type Post, SILENCE_MS } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import { CONNECT, type Member, type Members } from './members.ts';
import { MARK, signal } from './processes.ts';
import type { ClientPlan, End } from './protocol.ts';

const MOST_CLIENTS = 5;
/** A silence of this part of the limit, and the pulses before it, may be longer than the limit for others. */
const LONG = 0.5;
const ENDS: readonly End[] = ['close', 'close', 'close', 'terminate', 'exit', 'stay'];

const WEIGHTS = {
  client: 8,
  burst: 3,
  twins: 2,
  local: 1,
  'kill worker': 6,
  'kill client': 3,
  'kill host': 2,
  cut: 6,
  'short silence': 4,
  'long silence': 2,
  'held link': 3,
  rest: 3,
};

/** What can be done, and how often it is. */
export class Actions {
  readonly #choice: Choice;
  readonly #fleet: Fleet;
  readonly #members: Members;
  readonly #ledger: Ledger;
  readonly #plant: ClientPlan['plant'];
  readonly #going = new Set<Promise<void>>();
  #next = 1;
  /** Until then somebody is silent, or held up. */
  #silentUntil = 0;
  /** Until then somebody is, or has just been, so for longer than the limit. */
  #longUntil = 0;
  #cutAt = 0;

  constructor(choice: Choice, fleet: Fleet, members: Members, ledger: Ledger, plant: ClientPlan['plant']) {
    this.#choice = choice;
    this.#fleet = fleet;
    this.#members = members;
    this.#ledger = ledger;
    this.#plant = plant;
  }

  /** The client that is there from the start to the end. */
  async steady(): Promise<Member> {
    const member = this.#client({ jobs: -1, end: 'close', name: 'steady-client' });
    await member.ready;
    member.running.order('go');
    return member;
  }

  /** What those left in the temporary directory who were killed is removed by the next host that starts: here, by one of a client of its own. */
  async sweep(): Promise<void> {
    const member = this.#client({ jobs: 1, end: 'close', local: true });
    await member.ready;
    member.running.order('go');
  }

  /** Does the next thing. What takes a while goes on beside what follows. */
  step(): void {
    const work = this.#act(this.#choice.weighted(WEIGHTS))
      .catch((error: unknown) => this.#ledger.claim(error instanceof Error ? error.message : String(error)))
      .finally(() => this.#going.delete(work));
    this.#going.add(work);
  }

  /** Resolves when nothing that was begun goes on. */
  async settled(): Promise<void> {
    while (this.#going.size > 0) await Promise.all(this.#going);
  }

  async #act(action: keyof typeof WEIGHTS): Promise<void> {
    const choice = this.#choice;
    switch (action) {
      case 'client':
        return this.#begin(action, [{}]);
      case 'burst':
        return this.#begin(
          action,
          Array.from({ length: choice.between(2, 3) }, () => ({})),
        );
      case 'twins':
        return this.#begin(action, [{ twins: 2 }]);
      case 'local':
        return this.#begin(action, [{ local: true }]);
      case 'kill worker':
        return this.#killWorker();
      case 'kill client':
        return this.#killClient();
      case 'kill host':
        return this.#killHost();
      case 'cut':
        return this.#cut();
      case 'short silence':
        return this.#silence(action, choice.between(200, SILENCE_MS / 2));
      case 'long silence':
        return this.#silence(action, choice.between(SILENCE_MS + 500, SILENCE_MS * 2));
      case 'held link':
        return this.#hold();
      case 'rest':
        return this.#ledger.acted(action, '');
    }
  }

  // All of them connect in the same instant: they are told to go when the last is ready.
  async #begin(action: string, plans: readonly Partial<ClientPlan>[]): Promise<void> {
    const count = plans.reduce((sum, { twins = 1 }) => sum + twins, 0);
    const there = [...this.#members.all].reduce((sum, { plan }) => sum + (plan.local ? 0 : plan.twins), 0);
    if (!plans[0]?.local && there + count > MOST_CLIENTS) return;
    const members = plans.map((plan) => this.#client(plan));
    this.#ledger.acted(action, members.map(({ plan }) => `${plan.name} (seed ${plan.seed}, ${plan.end})`).join(', '));
    await Promise.all(members.map(({ ready }) => ready));
    for (const { running } of members) running.order('go');
  }

  #client(plan: Partial<ClientPlan>): Member {
    const choice = this.#choice;
    const number = this.#next++;
    return this.#members.start({
      name: `client-${number}`,
      seed: choice.between(1, 1e9),
      twins: 1,
      jobs: choice.between(1, 8),
      end: choice.one(ENDS),
      local: false,
      plant: this.#plant,
      ...plan,
    });
  }

  async #killWorker(): Promise<void> {
    const hosts = this.#fleet.hosts.filter(({ running }) => !running.busy);
    const worker = this.#choice.one(hosts.flatMap((host) => this.#fleet.workersOf(host)));
    if (!worker) return;
    this.#ledger.kills([worker.pid]);
    this.#ledger.acted('kill worker', `${worker.title} (process ${worker.pid})`);
    signal(worker.pid, 'SIGKILL');
  }

  async #killClient(): Promise<void> {
    const member = this.#choice.one(
      [...this.#members.all].filter(({ plan, running }) => plan.jobs >= 0 && !running.busy && !running.ending),
    );
    if (!member) return;
    this.#ledger.acted('kill client', member.plan.name);
    this.#members.kill(member);
  }

  async #killHost(): Promise<void> {
    const post = this.#choice.one(this.#fleet.hosts.filter(({ mortal, running }) => mortal && !running.busy));
    if (!post) return;
    this.#ledger.acted('kill host', post.name);
    await this.#fleet.replace(post);
    this.#ledger.note(`${post.name} is there again`);
  }

  async #cut(): Promise<void> {
    const post = this.#choice.one(this.#fleet.posts.filter(({ gate }) => gate));
    if (Date.now() < this.#silentUntil) return; // A1
    this.#cutAt = Date.now();
    const reset = this.#choice.chance(0.5);
    const links = post?.gate?.cut(reset) ?? 0;
    if (links > 0) this.#ledger.acted('cut', `${links} links of ${post?.name}${reset ? ', reset' : ''}`);
  }

  async #silence(action: string, ms: number): Promise<void> {
    const { posts } = this.#fleet;
    const connected = [...this.#members.all].filter(({ job }) => job !== CONNECT);
    const free: (Post | Member)[] = [...posts, ...connected].filter(({ running }) => !running.busy && !running.ending);
    const who = this.#choice.one(free);
    if (!who || !this.#mayBeSilent(ms)) return;
    this.#ledger.acted(action, `${who.running.name} for ${ms} ms`);
    this.#members.graceUntil = Math.max(this.#members.graceUntil, Date.now() + ms + SILENCE_MS);
    const workers = 'gate' in who && who !== this.#fleet.scheduler ? this.#fleet.workersOf(who) : [];
    await this.#fleet.silence(who.running, workers, ms);
  }

  // A1, A2
  #mayBeSilent(ms: number): boolean {
    const now = Date.now();
    const long = ms >= SILENCE_MS * LONG;
    if (now - this.#cutAt < SILENCE_MS || (long && now < this.#longUntil)) return false;
    if (long) this.#longUntil = now + ms + SILENCE_MS;
    this.#silentUntil = Math.max(this.#silentUntil, now + ms + SILENCE_MS / 2);
    return true;
  }

  // The link is up and nothing passes, shorter or longer than the limit.
  async #hold(): Promise<void> {
    const post = this.#choice.one(this.#fleet.posts.filter(({ gate, running }) => gate && !running.busy));
    const ms = this.#choice.between(200, (SILENCE_MS * 3) / 2);
    if (!post?.gate || !this.#mayBeSilent(ms)) return;
    this.#ledger.acted('held link', `${post.name} for ${ms} ms`);
    this.#members.graceUntil = Math.max(this.#members.graceUntil, Date.now() + ms + SILENCE_MS);
    post.gate.freeze();
    await new Promise((resolve) => setTimeout(resolve, ms));
    post.gate.thaw();
  }
}

/** A process that nobody ends: to see whether that is noticed. */
export function plantLeftover(fleet: Fleet): void {
  const args = ['-e', 'setInterval(() => {}, 1_000)'];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore', env: { ...process.env, [MARK]: fleet.mark } }).unref();
}
