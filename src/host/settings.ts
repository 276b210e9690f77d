// The options of a host, each once: how it is checked, how it is written on a command line and in a file, and how the guide shows it.
import {
  byteCount,
  defineSettings,
  figure,
  flag,
  type OptionsOf,
  oneOf,
  seconds,
  type Written,
  word,
  words,
  written,
} from '../base/index.ts';

const MOST_PORT = 65_535;
const DAY_S = 86_400;

const ports: Written<readonly number[]> = written(
  (value) => (Array.isArray(value) && value.every((one) => figure(1, MOST_PORT)(one) === undefined) ? undefined : 'a list of ports'),
  {
    read(text) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
      const from = Number(match?.[1]);
      const to = Number(match?.[2] ?? from);
      if (!match || from < 1 || to > MOST_PORT || to < from) return { must: 'a port, or two as 9706-9710' };
      return { value: Array.from({ length: to - from + 1 }, (_, i) => from + i) };
    },
    many: true,
  },
);

/** The options of `flotilla host`, in the order in which they are shown; times in milliseconds. */
export const HOST_OPTIONS = defineSettings('flotilla host', {
  cpus: {
    is: figure(-10_000, 10_000),
    also: ['workers'],
    line: { letter: 'c', takes: 'n', says: 'worker processes to offer: n; 0, one a core; -n, all cores but n', fallback: '0' },
  },
  listen: {
    is: words,
    also: ['host', 'listen'],
    line: {
      name: 'ip-addr',
      letter: 'i',
      takes: 'address',
      says: 'an address to listen at, as HOST, HOST:PORT or tcp://HOST:PORT; repeatable',
      fallback: 'all of this machine',
      unsaved: true,
    },
  },
  advertise: {
    is: words,
    also: ['ext-ip-addr', 'ext-host'],
    line: {
      takes: 'host',
      says: 'what others are told instead of each address, behind NAT: HOST, or HOST:PORT where that port alone leads in; repeatable',
      unsaved: true,
    },
  },
  port: {
    is: figure(0, MOST_PORT),
    line: {
      letter: 'p',
      takes: 'port',
      says: 'the port to listen at (tcp); 0 takes any',
      fallback: '9706 for a host, 9705 for a scheduler',
      unsaved: true,
    },
  },
  ports: {
    is: ports,
    also: ['node-ports', 'ports'],
    line: {
      name: 'tcp-ports',
      letter: 't',
      takes: 'n1-n2',
      says: 'the port of the host, then those of its workers: n1-n2, or n; repeatable. More workers than ports go on from the highest; without it they take any that is free',
      unsaved: true,
    },
  },
  udpPort: {
    is: figure(1, MOST_PORT),
    line: { letter: 'u', takes: 'port', says: 'the port of announcements, the same for all of a network', fallback: '9705' },
  },
  multicast: { is: flag, also: ['ipv4-udp-multicast'], line: { says: 'announce by multicast instead of broadcast' } },
  discovery: { is: flag, line: { name: 'no-discovery', says: 'neither announce nor hear announcements' } },
  discoverPeers: { is: flag, line: { says: 'accepted for dispycos: daemons look for each other unless --no-discovery' } },
  msgTimeout: {
    is: seconds(1, DAY_S),
    line: { takes: 'seconds', says: 'wait so long for a connection to another, and for its answers', fallback: '10' },
  },
  pingInterval: {
    is: seconds(1, DAY_S),
    line: { takes: 'seconds', says: 'look for others again, every while', fallback: 'when something changes' },
  },
  peers: { is: words, line: { name: 'peer', takes: 'host:port', says: 'a runtime to keep in touch with; repeatable', unsaved: true } },
  scheduler: {
    is: word,
    line: {
      takes: 'address',
      says: 'the scheduler to join, and no other',
      fallback: 'FLOTILLA_SCHEDULER, else whoever finds this host',
      unsaved: true,
    },
  },
  schedulerPort: {
    is: figure(1, MOST_PORT),
    line: { takes: 'port', says: 'the port of --scheduler, where that has none', fallback: '9705' },
  },
  name: { is: word, line: { letter: 'n', takes: 'name', says: 'its name', fallback: 'the host name of this machine', unsaved: true } },
  secret: {
    is: word,
    line: {
      letter: 's',
      takes: 'secret',
      says: 'the shared secret; better left to FLOTILLA_SECRET or the file of `flotilla secret`',
      unsaved: true,
    },
  },
  certfile: { is: word, line: { takes: 'file', says: 'a certificate in PEM, the same on every machine' } },
  keyfile: { is: word, line: { takes: 'file', says: 'its key, if not in the same file' } },
  dest: {
    is: word,
    also: ['dest'],
    line: { name: 'dest-path', takes: 'folder', says: 'where the folders of clients are made', fallback: 'the place for temporary files' },
  },
  maxFileSize: { is: byteCount, line: { takes: 'n[kmgt]', says: 'the largest file a client may send; 0: any', fallback: '0' } },
  minPulse: {
    is: seconds(0.5, 100),
    line: {
      name: 'min-pulse-interval',
      takes: 'seconds',
      says: 'the least time between signs of life; a client that wants less is told',
      fallback: '0.5',
    },
  },
  maxPulse: {
    is: seconds(0.5, 100),
    line: {
      name: 'max-pulse-interval',
      takes: 'seconds',
      says: 'the most, which holds while there is no client',
      fallback: '2 at first, at most 100',
    },
  },
  pulse: {
    is: seconds(0.5, 100),
    line: { takes: 'seconds', says: 'the time between signs of life, whatever clients want', fallback: '2' },
  },
  zombiePeriod: {
    is: seconds(0, 30 * DAY_S),
    line: {
      takes: 'seconds',
      says: 'after so long without work a worker is closed, and a client when all of its are; 0: never',
      fallback: '0 for a host, 1000 for a scheduler',
    },
  },
  clientTimeout: {
    is: seconds(1, 30 * DAY_S),
    line: { takes: 'seconds', says: 'how long a client that fell silent is waited for', fallback: '60' },
  },
  serve: { is: figure(1, 1e9), line: { takes: 'n', says: 'end after n clients', fallback: 'never' } },
  serviceStart: { is: word, line: { takes: 'HH:MM', says: 'when, each day, clients are taken', fallback: 'now' } },
  serviceStop: { is: word, line: { takes: 'HH:MM', says: 'when clients are asked to leave; may be past midnight' } },
  serviceEnd: { is: word, line: { takes: 'HH:MM', says: 'when those that are still there are ended' } },
  heap: { is: figure(16, 1 << 20), line: { takes: 'MiB', says: 'heap limit of each worker' } },
  memory: { is: byteCount, line: { takes: 'n[kmgt]', says: 'the most memory of a worker with all that it starts (Linux)' } },
  processes: { is: figure(1, 1e6), line: { takes: 'n', says: 'the most processes of a worker, its own included (Linux)' } },
  user: { is: word, line: { takes: 'a,b,c', says: 'start workers as these users, one for each client at a time (root only)' } },
  group: { is: word, line: { takes: 'group', says: 'start workers in this group (root only)' } },
  onlyRegistered: { is: flag, line: { says: 'take no code: run only what is installed here' } },
  cleanup: { is: flag, line: { name: 'no-cleanup', says: 'leave the folders of clients where they are' } },
  spare: { is: flag, line: { name: 'no-spare', says: 'keep no worker process started ahead (it holds some 25 MB)' } },
  clean: { is: flag, line: { says: 'end the host that has the port or folder, with all that it started, and take its place' } },
  encrypt: { is: oneOf('auto', 'always') },
});

/** The settings of a host, as its operator gave them. */
export type HostSettings = OptionsOf<typeof HOST_OPTIONS.rows>;

// The settings that workers are told of, too.
const FOR_WORKERS = ['encrypt'] as const satisfies readonly (keyof HostSettings)[];

/** The part of a host's settings that every worker process is told. */
export type WorkerSettings = Pick<HostSettings, (typeof FOR_WORKERS)[number]>;

/** Picks the settings that are for workers. */
export function workerSettings(settings: HostSettings): WorkerSettings {
  return Object.fromEntries(FOR_WORKERS.map((name) => [name, settings[name]]));
}
