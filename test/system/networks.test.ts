// Real networks: namespaces of this machine joined by a switch. Needs Linux and root; skipped elsewhere.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RuntimeOptions } from '../../src/kernel/index.ts';
import { ROOT } from '../support/processes.ts';

const sh = (line: string): string => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
  return stdout;
};
const mark = `fl${process.pid}`;
const able = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    sh(`ip netns add ${mark}t`);
    sh(`ip netns exec ${mark}t sh -c 'ip link add br0 type bridge && ip link add x type veth peer name y'`);
    return true;
  } catch {
    return false;
  } finally {
    spawnSync('ip', ['netns', 'del', `${mark}t`]);
  }
})();
const skip = able ? false : 'needs Linux, root and the right to make network namespaces';

interface Cleanup {
  after(fn: () => unknown): void;
}

/** A switch with namespaces on it; `nets` gives each the subnets it is in. */
class Network {
  readonly #names: string[] = [];
  readonly #switch = `${mark}s`;
  readonly peers: Peer[] = [];

  constructor(t: Cleanup, nets: readonly string[]) {
    t.after(() => this.close());
    sh(`ip netns add ${this.#switch}`);
    for (const net of nets) this.in(this.#switch, `ip link add br${net} type bridge && ip link set br${net} up`);
  }

  add(name: string, net: string, host: number): void {
    const ns = `${mark}${name}`;
    const port = `${name}${net}`;
    if (!this.#names.includes(name)) {
      sh(`ip netns add ${ns}`);
      this.#names.push(name);
      this.in(ns, 'ip link set lo up');
    }
    sh(`ip link add ${mark}x type veth peer name ${mark}y`);
    sh(`ip link set ${mark}x netns ${ns} && ip link set ${mark}y netns ${this.#switch}`);
    this.in(this.#switch, `ip link set ${mark}y name ${port} && ip link set ${port} master br${net} up`);
    this.in(ns, `ip link set ${mark}x name e${net} && ip addr add 10.77.${net}.${host}/24 brd + dev e${net} && ip link set e${net} up`);
  }

  run(name: string, line: string): string {
    return this.in(`${mark}${name}`, line);
  }

  /** What one sends to another goes astray, without a word; the other way it arrives. */
  drop(from: string, net: string, host: number, dropped: boolean): void {
    const neighbour = `10.77.${net}.${host} dev e${net}`;
    this.run(from, dropped ? `ip neigh replace 10.77.${net}.${host} lladdr 02:00:00:00:00:99 dev e${net}` : `ip neigh del ${neighbour}`);
  }

  in(ns: string, line: string): string {
    return sh(`ip netns exec ${ns} sh -c '${line}'`);
  }

  async close(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.close()));
    for (const name of [...this.#names.map((one) => `${mark}${one}`), this.#switch]) spawnSync('ip', ['netns', 'del', name]);
  }
}

/** A runtime in a namespace. */
class Peer {
  readonly child: ChildProcess;
  readonly name: string;
  lines: string[] = [];
  #wake: (() => void)[] = [];

  constructor(network: Network, name: string, options: RuntimeOptions = {}) {
    this.name = name;
    network.peers.push(this);
    const args = [
      'netns',
      'exec',
      `${mark}${name}`,
      process.execPath,
      join(ROOT, 'dist/test/fixtures/peer.js'),
      JSON.stringify({ name, discover: true, logLevel: 'silent', ...options }),
    ];
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    this.child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.child.stdin?.on('error', () => {});
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.lines.push(...text.split('\n').filter((line) => line !== ''));
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  async close(): Promise<void> {
    this.tell('quit');
    const gone = new Promise((resolve) => this.child.once('close', resolve));
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 8_000);
    if (this.child.exitCode === null) await gone;
    clearTimeout(timer);
    assert.ok(this.lines.includes('closed'), `${this.name} closed by itself`);
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Resolves once the lines printed from here on, or from `from`, have one like this. */
  async until(pattern: RegExp, ms = 60_000, from = 0): Promise<string> {
    const end = Date.now() + ms;
    for (;;) {
      const found = this.lines.slice(from).find((line) => pattern.test(line));
      if (found !== undefined) return found;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`${this.name}: no ${pattern} within ${ms} ms:\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async ask(who: string, bytes = 1): Promise<void> {
    const from = this.lines.length;
    this.tell(`ask ${who} ${bytes}`);
    assert.equal(await this.until(/^(answer|failed)/, 30_000, from), `answer ${who} got ${bytes}`);
  }
}

const everyone = async (peers: readonly Peer[]): Promise<void> => {
  for (const peer of peers) for (const other of peers) if (peer !== other) await peer.until(new RegExp(`^online ${other.name}$`));
};

for (const [how, options] of [
  ['broadcast', {}],
  ['multicast', { multicast: true }],
  ['IPv6 multicast', { family: 6 }],
] as const) {
  const needs6 = how === 'IPv6 multicast' && !existsSync('/proc/net/if_inet6') ? 'needs IPv6' : skip;
  test(`four machines find each other by ${how}, whoever starts first`, { skip: needs6 }, async (t) => {
    const network = new Network(t, ['1']);
    const names = ['a', 'b', 'c', 'd'];
    for (const [i, name] of names.entries()) {
      network.add(name, '1', i + 1);
      if (how === 'IPv6 multicast') network.run(name, `ip -6 addr add fd77::${i + 1}/64 dev e1 nodad`);
    }
    const peers = names.map((name) => new Peer(network, name, options));
    await everyone(peers);
    await peers[0]!.ask('d', 100_000);
  });
}

test('a machine that hears but is not heard is lost on both sides, and found again', { skip }, async (t) => {
  const network = new Network(t, ['1']);
  for (const [i, name] of ['a', 'b'].entries()) network.add(name, '1', i + 1);
  const [a, b] = ['a', 'b'].map((name) => new Peer(network, name)) as [Peer, Peer];
  await everyone([a, b]);
  const from = [a.lines.length, b.lines.length] as const;
  const started = Date.now();
  network.drop('a', '1', 2, true); // nothing of a reaches b any more; what b sends arrives
  await Promise.all([a.until(/^offline b/, 20_000, from[0]), b.until(/^offline a/, 20_000, from[1])]);
  t.diagnostic(`lost after ${Date.now() - started} ms (silence limit 2500 ms)`);
  network.drop('a', '1', 2, false);
  await Promise.all([a.until(/^online b/, 40_000, from[0]), b.until(/^online a/, 40_000, from[1])]);
  await a.ask('b', 10);
});

test('an interface that goes down and comes up again, and one that changes its address, end in peers that talk', { skip }, async (t) => {
  const network = new Network(t, ['1']);
  for (const [i, name] of ['a', 'b'].entries()) network.add(name, '1', i + 1);
  const [a, b] = ['a', 'b'].map((name) => new Peer(network, name)) as [Peer, Peer];
  await everyone([a, b]);
  network.run('b', 'ip link set e1 down');
  network.run('b', 'ip link set e1 up');
  await a.ask('b', 20); // shorter than the silence limit: the same session
  assert.deepEqual(
    a.lines.filter((line) => line.startsWith('offline')),
    [],
  );
  let from = a.lines.length;
  network.run('b', 'ip link set e1 down');
  await a.until(/^offline b/, 20_000, from);
  network.run('b', 'ip link set e1 up');
  await a.until(/^online b/, 40_000, from);
  await a.ask('b', 30);
  from = a.lines.length;
  network.run('b', 'ip addr del 10.77.1.2/24 dev e1');
  network.run('b', 'ip addr add 10.77.1.99/24 brd + dev e1');
  await a.until(/^online b/, 60_000, from);
  await a.ask('b', 40);
});

test('two networks are joined by a relay that is in both: one peer() finds all of the other', { skip }, async (t) => {
  const network = new Network(t, ['1', '2']);
  network.add('a', '1', 1);
  network.add('g', '1', 9);
  network.add('g', '2', 9);
  network.add('b', '2', 1);
  network.add('c', '2', 2);
  const [g, b, c] = ['g', 'b', 'c'].map((name) => new Peer(network, name)) as [Peer, Peer, Peer];
  await everyone([g, b, c]);
  const a = new Peer(network, 'a', { discover: false });
  await a.until(/^ready/);
  a.tell('peer 10.77.1.9:9705 relay');
  await Promise.all(['g', 'b', 'c'].map((name) => a.until(new RegExp(`^online ${name}`), 30_000)));
  await a.ask('b', 200_000);
  await b.ask('a', 100);
});

test('without a port, peer() reaches every runtime of a machine; a small MTU changes nothing', { skip }, async (t) => {
  const network = new Network(t, ['1']);
  for (const [i, name] of ['a', 'b'].entries()) {
    network.add(name, '1', i + 1);
    network.run(name, 'ip link set e1 mtu 576');
  }
  const first = new Peer(network, 'b', { name: 'b1' });
  const second = new Peer(network, 'b', { name: 'b2' });
  await Promise.all([first.until(/^ready/), second.until(/^ready/)]);
  const a = new Peer(network, 'a', { discover: false });
  await a.until(/^ready/);
  a.tell('peer 10.77.1.2');
  assert.equal(await a.until(/^(peers|failed)/), 'peers b1,b2');
  await a.ask('b1', 1_000_000);
  await a.ask('b2', 3);
});
