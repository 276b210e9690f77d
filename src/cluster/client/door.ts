// The doors of a client, at which its scheduler, hosts and workers tell and ask it things.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import { TENANT } from '../../host/index.ts';
import type { Post } from '../../kernel/index.ts';
import { CALLER } from '../../worker/index.ts';
import type { Notices } from '../calls/notices.ts';
import type { Crew } from '../crew/crew.ts';
import type { Orders } from '../crew/orders.ts';
import type { Member } from '../dispatch/work.ts';
import { CLIENT, type ClientDoor, type HostOffer } from '../protocol.ts';

/** The parts of a client behind its doors. */
export interface BehindDoor {
  readonly crew: Crew;
  readonly orders: Orders;
  readonly notices: Notices;
  readonly restartWorkers: boolean;
  allocate(offer: HostOffer): Promise<ReturnType<ClientDoor['allocate']>>;
  explain(): readonly string[];
  admitted(): void;
  /** Notes that a worker has stopped its work as it was told, so that it can be given new work. */
  stopped(): void;
  closed(reason: string): void;
}

/** Opens the doors of a client. */
export function openDoors(post: Post, behind: BehindDoor): void {
  const { crew } = behind;
  post.serve(
    CLIENT,
    { allocate: (_asked, offer) => behind.allocate(offer), explain: () => behind.explain(), here: () => true },
    {
      message: (_peer, notice) => {
        switch (notice.kind) {
          case 'admitted':
            return behind.admitted();
          case 'closed':
            return behind.closed(notice.reason);
          case 'grant':
            return crew.granted(notice);
          case 'idle':
            return crew.returns.idlePlaces(notice);
          default:
            return crew.returns.hear(notice);
        }
      },
    },
  );
  post.serve(
    TENANT,
    {},
    { message: (peer, notice) => (notice.kind === 'idle' ? crew.returns.idlePlaces(notice) : crew.heard(peer, notice)) },
  );
  openToWorkers(post, behind);
}

function openToWorkers(post: Post, { crew, orders, notices, restartWorkers, stopped }: BehindDoor): void {
  const mine = (peer: RuntimeId): Member => {
    const member = crew.members.get(peer);
    if (member) return member;
    throw new FlotillaError('ERR_CLUSTER_STALE_GRANT', 'Only workers of this client may ask that.');
  };
  post.serve(
    CALLER,
    {
      // Answers without waiting for the worker to end: the asker may run on that very worker, which would then wait for itself.
      closeWorker: ({ peer }, { terminate, restart }) =>
        void orders.closeWorker(mine(peer).info.name, terminate, restart || restartWorkers).catch(() => {}),
      closeHost: ({ peer }, { terminate }) => void orders.closeHost(mine(peer).info.hostName, terminate).catch(() => {}),
    },
    {
      message: (peer, notice) => {
        switch (notice.kind) {
          case 'item':
            return notices.item(peer, notice.call, notice.value);
          case 'progress':
            return notices.progress(peer, notice.call, notice.done, notice.total, notice.note);
          case 'log':
            return crew.output({ worker: crew.members.get(peer)?.info.name ?? '?', stream: 'log', text: notice.text });
          case 'stopped':
            if (crew.members.get(peer)?.stopping.delete(notice.call)) stopped();
        }
      },
    },
  );
}
