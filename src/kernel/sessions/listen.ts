// Opens the places where a runtime is dialled.
import type { ListenPlace } from '../runtime-options.ts';
import type { Hub } from './hub.ts';

/** Listens at a place; at any port if that one is used and the place allows it. Rejects with ERR_LINK_PORT_IN_USE or ERR_LINK_ADDRESS. */
export async function listenAt(hub: Hub, { address, orAny, advertise }: ListenPlace): Promise<void> {
  try {
    await hub.listen(address, advertise);
  } catch (error) {
    if (!orAny || (error as { code?: string }).code !== 'ERR_LINK_PORT_IN_USE') throw error;
    await hub.listen({ ...address, port: 0 }, advertise);
  }
}
