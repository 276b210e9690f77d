// Makes the configuration of a worker from the options of its host.
import { GRACE_MS, workingFolder } from '../kernel/index.ts';
import { type Networks, parseAddress } from '../transport/index.ts';
import type { HostOptions } from './options.ts';
import type { WorkerConfig } from './process/contract.ts';
import { workerSettings } from './settings.ts';
import { SET_UP_SLOT } from './tenant.ts';

/** The configuration of the worker of a place. */
export function workerConfig(
  options: HostOptions,
  slot: { readonly name: string; readonly number: number },
  at: {
    readonly folder: string;
    readonly cwd: string;
    readonly location: string | undefined;
    readonly pulse: number;
    readonly networks: Networks;
  },
): WorkerConfig {
  const { name, secret, listen = [], ports = [], advertise, settings = {} } = options;
  const port = ports[slot.number] ?? 0;
  // An advertised port leads to the host alone, so its workers are reached through it. Nobody dials the process that sets the host up.
  const dialled = slot.number !== SET_UP_SLOT && (advertise === undefined || parseAddress(at.networks, advertise, 0).port === 0);
  return {
    ...workerSettings(settings),
    name: slot.name,
    location: `${at.location ?? name}/${slot.number}`,
    secret: Buffer.from(secret).toString('hex'),
    folder: at.folder,
    cwd: at.cwd,
    listen: dialled ? listen.map((address) => address.replace(/:0$/, `:${port}`)) : [],
    advertise: dialled ? advertise : undefined,
    pulse: at.pulse,
    host: name,
    slot: slot.number,
    graceMs: GRACE_MS,
    packages: workingFolder(),
  };
}
