// The options of the daemons: what they are called here and in dispycos, their letters, units and defaults.

/** How the text of an option becomes a value. */
type Kind =
  | { readonly is: 'flag' }
  | { readonly is: 'text'; readonly many?: boolean }
  | { readonly is: 'number'; readonly least: number; readonly most: number }
  | { readonly is: 'seconds'; readonly least: number; readonly most: number }
  | { readonly is: 'bytes' }
  | { readonly is: 'ports' };

/** One option. */
export interface Row {
  /** The long name, without dashes. */
  readonly name: string;
  readonly letter?: string;
  /** Other spellings: those of dispycos first. */
  readonly aliases?: readonly string[];
  readonly of: readonly ('host' | 'scheduler')[];
  readonly kind: Kind;
  readonly takes?: string;
  readonly says: string;
  readonly fallback?: string;
  /** Not written by `--save-config`. */
  readonly secret?: boolean;
}

const both = ['host', 'scheduler'] as const;
export const MOST_PORT = 65_535;
const DAY_S = 86_400;

/** Every option of `flotilla host` and `flotilla scheduler`. */
export const ROWS: readonly Row[] = [
  row('cpus', {
    letter: 'c',
    aliases: ['workers'],
    of: ['host'],
    kind: number(-10_000, 10_000),
    takes: 'n',
    says: 'worker processes to offer: n; 0, one a core; -n, all cores but n',
    fallback: '0',
  }),
  row('ip-addr', {
    letter: 'i',
    aliases: ['host', 'listen'],
    of: both,
    kind: text(true),
    takes: 'address',
    says: 'an address to listen at, as HOST, HOST:PORT or tcp://HOST:PORT; repeatable',
    fallback: 'all of this machine',
    secret: true,
  }),
  row('advertise', {
    aliases: ['ext-ip-addr', 'ext-host'],
    of: both,
    kind: text(true),
    takes: 'host',
    says: 'what others are told instead of each address, behind NAT: HOST, or HOST:PORT where that port alone leads in; repeatable',
    secret: true,
  }),
  row('port', {
    letter: 'p',
    of: both,
    kind: number(0, MOST_PORT),
    takes: 'port',
    says: 'the port to listen at (tcp); 0 takes any',
    fallback: '9706 for a host, 9705 for a scheduler',
    secret: true,
  }),
  row('tcp-ports', {
    letter: 't',
    aliases: ['node-ports', 'ports'],
    of: ['host'],
    kind: { is: 'ports' },
    takes: 'n1-n2',
    says: 'the port of the host, then those of its workers: n1-n2, or n; repeatable. More workers than ports go on from the highest; without it they take any that is free',
    secret: true,
  }),
  row('udp-port', {
    letter: 'u',
    of: both,
    kind: number(1, MOST_PORT),
    takes: 'port',
    says: 'the port of announcements, the same for all of a network',
    fallback: '9705',
  }),
  row('multicast', { aliases: ['ipv4-udp-multicast'], of: both, kind: flag(), says: 'announce by multicast instead of broadcast' }),
  row('no-discovery', { of: both, kind: flag(), says: 'neither announce nor hear announcements' }),
  row('discover-peers', { of: both, kind: flag(), says: 'accepted for dispycos: daemons look for each other unless --no-discovery' }),
  row('msg-timeout', {
    of: ['host'],
    kind: seconds(1, DAY_S),
    takes: 'seconds',
    says: 'wait so long for a connection to another, and for its answers',
    fallback: '10',
  }),
  row('ping-interval', {
    of: both,
    kind: seconds(1, DAY_S),
    takes: 'seconds',
    says: 'look for others again, every while',
    fallback: 'when something changes',
  }),
  row('peer', {
    of: ['host'],
    kind: text(true),
    takes: 'host:port',
    says: 'a runtime to keep in touch with; repeatable',
    secret: true,
  }),
  row('scheduler', {
    of: ['host'],
    kind: text(),
    takes: 'address',
    says: 'the scheduler to join, and no other',
    fallback: 'FLOTILLA_SCHEDULER, else whoever finds this host',
    secret: true,
  }),
  row('scheduler-port', {
    of: ['host'],
    kind: number(1, MOST_PORT),
    takes: 'port',
    says: 'the port of --scheduler, where that has none',
    fallback: '9705',
  }),
  row('node', {
    aliases: ['relay-node'],
    of: ['scheduler'],
    kind: text(true),
    takes: 'host',
    says: 'a host to take, which also finds its neighbours: one for each remote network; repeatable',
    secret: true,
  }),
  row('exclusive', { of: ['scheduler'], kind: flag(), says: "dispycos's rule: one client at a time, in order, has the whole cluster" }),
  row('quota', {
    of: ['scheduler'],
    kind: text(true),
    takes: 'name=n',
    says: 'at most n workers for clients of that name, * for all others; repeatable',
  }),
  row('name', {
    letter: 'n',
    of: both,
    kind: text(),
    takes: 'name',
    says: 'its name',
    fallback: 'the host name of this machine',
    secret: true,
  }),
  row('secret', {
    letter: 's',
    of: both,
    kind: text(),
    takes: 'secret',
    says: 'the shared secret; better left to FLOTILLA_SECRET or the file of `flotilla secret`',
    secret: true,
  }),
  row('certfile', { of: both, kind: text(), takes: 'file', says: 'a certificate in PEM, the same on every machine' }),
  row('keyfile', { of: both, kind: text(), takes: 'file', says: 'its key, if not in the same file' }),
  row('dest-path', {
    aliases: ['dest'],
    of: ['host'],
    kind: text(),
    takes: 'folder',
    says: 'where the folders of clients are made',
    fallback: 'the place for temporary files',
  }),
  row('max-file-size', {
    of: ['host'],
    kind: { is: 'bytes' },
    takes: 'n[kmgt]',
    says: 'the largest file a client may send; 0: any',
    fallback: '0',
  }),
  row('min-pulse-interval', {
    of: ['host'],
    kind: seconds(0.5, 100),
    takes: 'seconds',
    says: 'the least time between signs of life; a client that wants less is told',
    fallback: '0.5',
  }),
  row('max-pulse-interval', {
    of: ['host'],
    kind: seconds(0.5, 100),
    takes: 'seconds',
    says: 'the most, which holds while there is no client',
    fallback: '2 at first, at most 100',
  }),
  row('pulse', {
    of: both,
    kind: seconds(0.5, 100),
    takes: 'seconds',
    says: 'the time between signs of life, whatever clients want',
    fallback: '2',
  }),
  row('zombie-period', {
    of: both,
    kind: seconds(0, 30 * DAY_S),
    takes: 'seconds',
    says: 'after so long without work a worker is closed, and a client when all of its are; 0: never',
    fallback: '0 for a host, 1000 for a scheduler',
  }),
  row('client-timeout', {
    of: ['host'],
    kind: seconds(1, 30 * DAY_S),
    takes: 'seconds',
    says: 'how long a client that fell silent is waited for',
    fallback: '60',
  }),
  row('serve', { of: ['host'], kind: number(1, 1e9), takes: 'n', says: 'end after n clients', fallback: 'never' }),
  row('service-start', { of: ['host'], kind: text(), takes: 'HH:MM', says: 'when, each day, clients are taken', fallback: 'now' }),
  row('service-stop', { of: ['host'], kind: text(), takes: 'HH:MM', says: 'when clients are asked to leave; may be past midnight' }),
  row('service-end', { of: ['host'], kind: text(), takes: 'HH:MM', says: 'when those that are still there are ended' }),
  row('heap', { of: ['host'], kind: number(16, 1 << 20), takes: 'MiB', says: 'heap limit of each worker' }),
  row('memory', {
    of: ['host'],
    kind: { is: 'bytes' },
    takes: 'n[kmgt]',
    says: 'the most memory of a worker with all that it starts (Linux)',
  }),
  row('processes', {
    of: ['host'],
    kind: number(1, 1e6),
    takes: 'n',
    says: 'the most processes of a worker, its own included (Linux)',
  }),
  row('user', {
    of: ['host'],
    kind: text(),
    takes: 'a,b,c',
    says: 'start workers as these users, one for each client at a time (root only)',
  }),
  row('group', { of: ['host'], kind: text(), takes: 'group', says: 'start workers in this group (root only)' }),
  row('only-registered', { of: ['host'], kind: flag(), says: 'take no code: run only what is installed here' }),
  row('no-cleanup', { of: ['host'], kind: flag(), says: 'leave the folders of clients where they are' }),
  row('no-spare', { of: ['host'], kind: flag(), says: 'keep no worker process started ahead (it holds some 25 MB)' }),
  row('clean', {
    of: ['host'],
    kind: flag(),
    says: 'end the host that has the port or folder, with all that it started, and take its place',
  }),
  row('config', {
    of: both,
    kind: text(),
    takes: 'file',
    says: 'read options from a .json, .js or .ts file; the command line wins',
    secret: true,
  }),
  row('save-config', {
    of: both,
    kind: text(),
    takes: 'file',
    says: 'write the options to a file, without addresses, name and secret, and end',
    secret: true,
  }),
  row('daemon', { of: both, kind: flag(), says: 'no console: for services and containers' }),
  row('debug', { letter: 'd', of: both, kind: flag(), says: 'say more' }),
];

function row(name: string, rest: Omit<Row, 'name'>): Row {
  return { name, ...rest };
}

function text(many = false): Kind {
  return { is: 'text', many };
}

function flag(): Kind {
  return { is: 'flag' };
}

function number(least: number, most: number): Kind {
  return { is: 'number', least, most };
}

function seconds(least: number, most: number): Kind {
  return { is: 'seconds', least, most };
}
