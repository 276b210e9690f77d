// Controls: the part of `Client` that is about its hosts and workers, rather than about work.
import type { RuntimeId } from '../../base/index.ts';
import type { FileOutcome, SendFileOptions } from '../../kernel/index.ts';
import type { WorkReport } from '../calls/work-report.ts';
import type { Crew } from '../crew/crew.ts';
import { checkWhere, type Orders } from '../crew/orders.ts';
import { presentOf } from '../crew/present.ts';
import { type Counts, countsOf, Tally } from '../dispatch/tally.ts';
import { PAUSE } from '../dispatch/work.ts';
import type { ClusterEvent, HostInfo, WorkInfo } from '../events.ts';
import { unknownPlace } from '../where.ts';
import type { HostAllocation } from './allocation.ts';
import type { HostReport, WorkerReport } from './reports.ts';

// The counts of several workers together.
function sumOf(workers: readonly WorkerReport[]): Counts {
  const all = new Tally();
  let running = 0;
  for (const { counts } of workers) {
    all.done += counts.done;
    all.failed += counts.failed;
    all.cancelled += counts.cancelled;
    running += counts.running;
  }
  return countsOf(all, running);
}

/** The parts of a client that its controls act on. */
export interface Controlled {
  readonly crew: Crew;
  readonly orders: Orders;
  readonly report: WorkReport;
  readonly restartWorkers: boolean;
  sendFile(to: { readonly id: RuntimeId }, path: string, options: SendFileOptions): Promise<FileOutcome>;
  allocate(allocation: HostAllocation | string): Promise<void>;
  explain(): string[];
}

/**
 * The places of a client. Everywhere, `where` names a host (`NAME`, `tcp://HOST:PORT`), all hosts of a machine (its address) or a worker
 * (`NAME/N`, `tcp://HOST:PORT/N`); a name that means nothing is ERR_HOST_UNKNOWN. Calls act on this client's own grant only.
 */
export abstract class Controls {
  /** @internal */
  protected abstract get controlled(): Controlled;

  /** The hosts that this client has. Called `nodes()` in dispycos. */
  hosts(): readonly HostReport[] {
    const { crew } = this.controlled;
    const workers = this.workers();
    return [...crew.stations.values()].map((station) => ({
      ...(station.info satisfies HostInfo),
      state: station.offline ? 'offline' : station.suspended ? 'suspended' : station.phase,
      granted: station.slots.size,
      ready: crew.of(station).length,
      counts: sumOf(workers.filter(({ host }) => host === station.name)),
    }));
  }

  /** Every worker that this client has or had, and how much it did. Called `servers()` in dispycos. */
  workers(): readonly WorkerReport[] {
    const { crew } = this.controlled;
    const live = new Map([...crew.members.values()].map((member) => [member.info.name, member]));
    return [...crew.state.history].map(([name, { host, tally: before }]) => {
      const member = live.get(name);
      const tally = new Tally();
      for (const one of [before, member?.tally]) if (one) tally.add(one);
      let under = 0;
      for (const { work } of member?.inFlight ?? []) under += work.weight;
      const state = !member ? 'gone' : member.pause & PAUSE.OFFLINE ? 'offline' : member.pause !== 0 ? 'suspended' : member.state;
      const at = member?.addresses[0];
      return {
        name,
        host,
        lost: tally.lost,
        done: tally.done,
        counts: countsOf(tally, under),
        state,
        location: member && at ? `${at}/${member.info.slot}` : name,
        pid: member?.info.pid ?? 0,
        running: member?.inFlight.size ?? 0,
        tasks: member?.tasks.size ?? 0,
      };
    });
  }

  /** The tasks that run and the calls under way, everywhere or at a host or worker. */
  tasks(where?: string): readonly WorkInfo[] {
    const { crew, orders, report } = this.controlled;
    if (where !== undefined) checkWhere('tasks', where);
    const members = where === undefined ? [...crew.members.values()] : orders.workers(where);
    return members.flatMap((member) => [...member.tasks.values(), ...report.underWay(member)]);
  }

  /**
   * Changes of hosts, workers and tasks: first those that lead to the present state of every host and worker, and to the tasks and calls
   * under way, then each change once, the last `client-closed`. Reading fails with ERR_LIMIT when 100,000 wait unread.
   */
  events(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<ClusterEvent> {
    const { crew, report } = this.controlled;
    report.listen();
    return crew.events.read({
      ...options,
      first: crew.events.again([...presentOf(crew.state), ...report.present(crew.members.values())]),
      limit: 100_000,
      strict: true,
    });
  }

  /** Calls the listener for each change of hosts, workers and tasks from now on; returns a function that stops it. */
  onEvent(listener: (event: ClusterEvent) => void): () => void {
    this.controlled.report.listen();
    return this.controlled.crew.events.on(listener);
  }

  /** Adds a rule about hosts before all others, and asks the rules about every host again. Called `node_allocate` in dispycos. */
  allocate(allocation: HostAllocation | string): Promise<void> {
    return this.controlled.allocate(allocation);
  }

  /**
   * Sends a file to a host (it lands in this client's folder there), to a worker (in its working folder), or, with `'*'`, to every host.
   * Functions there find it by `file(name)`. Rejects with ERR_FILE_* or ERR_HOST_UNKNOWN.
   */
  async sendFile(where: string, path: string, options: SendFileOptions = {}): Promise<readonly FileOutcome[]> {
    const { crew, orders, sendFile } = this.controlled;
    checkWhere('sendFile', where);
    const all = { overwrite: true, ...options };
    const hosts = [...crew.stations.values()].filter((station) => where === '*' || station.is(where));
    if (hosts.length > 0) return Promise.all(hosts.map(({ id }) => sendFile({ id }, path, all)));
    if (where === '*') throw unknownPlace(where, 'host', []);
    return Promise.all(orders.workers(where).map(({ info }) => sendFile({ id: info.id }, path, all)));
  }

  /** Lets a host be used: a discovered one (`disableHosts`), with arguments for its setup, or a suspended one. Called `enable_node`. */
  enableHost(where: string, ...args: unknown[]): void {
    checkWhere('enableHost', where);
    this.controlled.orders.enableHost(where, args);
  }

  /** Lets a worker be used: a discovered one (`disableWorkers`), with setup arguments, or a suspended one. Called `enable_server`. */
  enableWorker(where: string, ...args: unknown[]): void {
    checkWhere('enableWorker', where);
    this.controlled.orders.enableWorker(where, args);
  }

  /** Gives a host's workers no new work; work under way goes on. Called `suspend_node`. */
  suspendHost(where: string): void {
    checkWhere('suspendHost', where);
    this.controlled.orders.suspendHost(where);
  }

  /** Gives a suspended host's workers work again. Called `resume_node`. */
  resumeHost(where: string): void {
    checkWhere('resumeHost', where);
    this.controlled.orders.resumeHost(where);
  }

  /** Gives a worker no new work; work under way goes on. Suspending a host's last worker suspends the host. Called `suspend_server`. */
  suspendWorker(where: string): void {
    checkWhere('suspendWorker', where);
    this.controlled.orders.suspendWorker(where);
  }

  /** Gives a suspended worker work again. Called `resume_server`. */
  resumeWorker(where: string): void {
    checkWhere('resumeWorker', where);
    this.controlled.orders.resumeWorker(where);
  }

  /**
   * Ends a worker when nothing runs there any more; with `terminate`, tasks are interrupted and have the grace period. With `restart` (by
   * default what `restartWorkers` says), a fresh process follows in its place. Resolves when it has ended. Called `close_server`.
   */
  closeWorker(where: string, options: { readonly terminate?: boolean; readonly restart?: boolean } = {}): Promise<void> {
    checkWhere('closeWorker', where);
    const { orders, restartWorkers } = this.controlled;
    return orders.closeWorker(where, options.terminate ?? false, options.restart ?? restartWorkers);
  }

  /** Ends a worker, and starts a fresh process in its place; a worker that was closed is asked for again. Called `restart_server`. */
  restartWorker(where: string, options: { readonly terminate?: boolean } = {}): Promise<void> {
    return this.closeWorker(where, { ...options, restart: true });
  }

  /** Ends all workers of a host and gives it back: others may have it. Called `close_node`. */
  closeHost(where: string, options: { readonly terminate?: boolean } = {}): Promise<void> {
    checkWhere('closeHost', where);
    return this.controlled.orders.closeHost(where, options.terminate ?? false);
  }

  /** Ends a host's workers, sets it up again (with its last arguments, if none are given), and starts new ones. Called `restart_node`. */
  restartHost(where: string, options: { readonly terminate?: boolean; readonly args?: readonly unknown[] } = {}): Promise<void> {
    checkWhere('restartHost', where);
    return this.controlled.orders.restartHost(where, options.args ?? [], options.terminate ?? false);
  }

  /** Sets whether a host, or every host, is given up when it is silent. Its tasks then end as `host-lost`. Called `abandon_zombie`. */
  abandonZombie(where: string | undefined, flag = true): void {
    if (where !== undefined) checkWhere('abandonZombie', where);
    this.controlled.orders.abandonZombie(where, flag);
  }

  /** Why work waits, and what would change it: lines for people, per host and per kind of work. */
  explain(): readonly string[] {
    return this.controlled.explain();
  }
}
