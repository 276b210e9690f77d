// The settings of a scheduler by its operator. A host has most of them, too.
import { defineSettings, flag, type OptionsOf, words } from '../../base/index.ts';
import { HOST_OPTIONS } from '../../host/index.ts';

const { rows: HOST } = HOST_OPTIONS;

/** The options of `flotilla scheduler`, in the order in which they are shown; times in milliseconds. */
export const SCHEDULER_OPTIONS = defineSettings('flotilla scheduler', {
  listen: HOST.listen,
  advertise: HOST.advertise,
  port: HOST.port,
  udpPort: HOST.udpPort,
  multicast: HOST.multicast,
  discovery: HOST.discovery,
  discoverPeers: HOST.discoverPeers,
  pingInterval: HOST.pingInterval,
  hosts: {
    is: words,
    also: ['relay-node'],
    line: {
      name: 'node',
      takes: 'host',
      says: 'a host to take, which also finds its neighbours: one for each remote network; repeatable',
      unsaved: true,
    },
  },
  exclusive: { is: flag, line: { says: "dispycos's rule: one client at a time, in order, has the whole cluster" } },
  quota: { is: words, line: { takes: 'name=n', says: 'at most n workers for clients of that name, * for all others; repeatable' } },
  name: HOST.name,
  secret: HOST.secret,
  certfile: HOST.certfile,
  keyfile: HOST.keyfile,
  pulse: HOST.pulse,
  zombiePeriod: HOST.zombiePeriod,
});

/** The settings of one scheduler. */
export type SchedulerSettings = OptionsOf<typeof SCHEDULER_OPTIONS.rows>;
