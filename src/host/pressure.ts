// Holds back what workers print while their client does not take it: else a chatty worker fills this host's memory.
import type { RuntimeId } from '../base/index.ts';
import type { Kernel } from '../kernel/index.ts';

const LOOK_MS = 20;

/** Resolves when there is room on the way to a client, or it is gone; undefined while there is room. */
export function roomFor(kernel: Kernel, client: RuntimeId, isHere: () => boolean): Promise<void> | undefined {
  if (kernel.carrier.hasRoom(client)) return undefined;
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isHere() || kernel.carrier.hasRoom(client)) resolve();
      else kernel.clock.after(LOOK_MS, look, { background: true });
    };
    look();
  });
}
