// The door of a client: what its scheduler, hosts and workers say to it and ask of it.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import type { HostNotice } from '../../host/index.ts';
import { type Asked, type Kernel, PORT } from '../../kernel/index.ts';
import type { WorkerNotice } from '../../worker/index.ts';
import type { Notices } from '../calls/notices.ts';
import type { HostOffer } from '../crew/allocation.ts';
import type { Crew } from '../crew/crew.ts';
import type { Orders } from '../crew/orders.ts';
import type { Member } from '../dispatch/work.ts';
import type { SchedulerNotice } from '../protocol.ts';

/** What a client's door leads to. */
export interface BehindDoor {
  readonly crew: Crew;
  readonly orders: Orders;
  readonly notices: Notices;
  readonly restartWorkers: boolean;
  allocate(offer: HostOffer): Promise<unknown>;
  explain(): readonly string[];
  admitted(): void;
  /** A worker that was given nothing because it had to stop something has done so. */
  stopped(): void;
  closed(reason: string): void;
}

/** Opens the door of a client. */
export function openDoor(kernel: Kernel, { crew, orders, notices, restartWorkers, ...behind }: BehindDoor): void {
  const mine = (peer: RuntimeId): Member => {
    const member = crew.members.get(peer);
    if (member) return member;
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', 'Only workers of this client may ask that.');
  };
  const methods = kernel.methods({
    allocate: (_asked, offer: HostOffer) => behind.allocate(offer),
    explain: () => behind.explain(),
    here: () => true,
    // Not waited for: the asker is among what is waited for.
    closeWorker: ({ peer }: Asked, { terminate, restart }: { terminate: boolean; restart: boolean }) =>
      void orders.closeWorker(mine(peer).info.name, terminate, restart || restartWorkers).catch(() => {}),
    closeHost: ({ peer }: Asked, { terminate }: { terminate: boolean }) =>
      void orders.closeHost(mine(peer).info.hostName, terminate).catch(() => {}),
  });
  kernel.serve(PORT.CLIENT, {
    ...methods,
    message: (peer, value) => {
      const notice = value as HostNotice | SchedulerNotice | WorkerNotice;
      switch (notice.kind) {
        case 'item':
          return notices.item(peer, notice.call, notice.value);
        case 'progress':
          return notices.progress(peer, notice.call, notice.done, notice.total, notice.note);
        case 'log':
          return crew.onOutput({ worker: crew.members.get(peer)?.info.name ?? '?', stream: 'log', text: notice.text });
        case 'stopped':
          if (crew.members.get(peer)?.stopping.delete(notice.call)) behind.stopped();
          return;
        case 'admitted':
          return behind.admitted();
        case 'closed':
          return behind.closed(notice.reason);
        case 'grant':
          return crew.granted(notice);
        case 'idle':
          return crew.idle(notice);
        case 'revoke':
        case 'keep':
        case 'holds':
          return crew.returns.hear(notice);
        default:
          return crew.heard(peer, notice);
      }
    },
  });
}
