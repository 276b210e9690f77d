// The byte side of a runtime whose two sides share a thread.
import type { Clock, RuntimeId } from '../../base/index.ts';
import { eachFrame, LENGTH_BYTES, readVarint } from '../../wire/index.ts';
import type { Environment } from '../environment.ts';
import { piecesOf, type Range } from '../post/range.ts';
import type { Requests } from '../post/requests.ts';
import type { Hub } from '../sessions/hub.ts';
import type { HubEvents } from '../sessions/hub-options.ts';
import type { Carried, Carrier } from './carrier.ts';

/** Carries frames to peers by the hub of the same thread, and to the runtime itself. */
export function carry(hub: Hub, { clock }: Environment, kernel: () => Pick<Carried, 'frame'>): Carrier {
  return {
    id: hub.id,
    get name() {
      return hub.options.name;
    },
    get addresses() {
      return hub.addresses;
    },
    acknowledges: false,
    post(peer, range, large) {
      if (peer === hub.id) loopBack(hub.id, range, large, clock, (...frame) => kernel().frame(...frame));
      else hub.post(peer, range, large);
    },
    hasRoom: (peer) => hub.session(peer)?.hasRoom ?? true,
    reach: (peer, addresses, via) => hub.reach(peer, addresses, via),
    dial: (peer) => hub.dial(peer),
    end: (peer, end) => hub.end(peer, end),
    mailbox() {},
  };
}

/** Hands a runtime the frames that it sends to itself. They take the same way as all others, but for the link. */
export function loopBack(id: RuntimeId, range: Range, large: boolean, clock: Clock, frame: HubEvents['frame']): void {
  const bytes = Buffer.concat(piecesOf(range, range.start));
  range.release?.();
  clock.defer(() => {
    if (large) {
      const target = readVarint(bytes, LENGTH_BYTES + 1, bytes.length);
      frame(id, bytes[LENGTH_BYTES] as number, target.value, bytes, target.next, bytes.length, false);
    } else eachFrame(bytes, 0, bytes.length, (kind, target, buffer, start, end) => frame(id, kind, target, buffer, start, end, false));
  });
}

/** Hands the events of a hub to a kernel on the same thread. */
export function carriedTo(kernel: () => Required<Carried> & { readonly requests: Requests }): HubEvents {
  return {
    frame: (...frame) => kernel().frame(...frame),
    land: (...frame) => kernel().land(...frame),
    landed: (...frame) => kernel().landed(...frame),
    opened: (peer) => kernel().opened(peer),
    offline: (peer) => kernel().offline(peer),
    online: (peer) => kernel().online(peer),
    ended: (peer, end) => kernel().ended(peer, end),
    room: (peer) => kernel().room(peer),
    quiet: (peer) => !kernel().requests.asks(peer),
  };
}
