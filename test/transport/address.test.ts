import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, World } from '../../src/testing/index.ts';
import {
  formatAddress,
  MemoryNetwork,
  type Network,
  parseAddress,
  shortAddress,
  tcpNetwork,
  unixNetwork,
  wholeAddress,
} from '../../src/transport/index.ts';

const memory = new MemoryNetwork({ clock: new World({ seed: 1 }).clock, random: seededRandom(1) }).at('m');
const networks = { tcp: tcpNetwork, unix: unixNetwork };
const parse = (text: string, port?: number) => parseAddress(networks, text, port);

test('an IPv6 address needs brackets only where a port follows', () => {
  for (const [text, host] of [
    ['::1', '::1'],
    ['fd00::1', 'fd00::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['::ffff:10.0.0.2', '::ffff:10.0.0.2'],
    ['tcp://fd00::1', 'fd00::1'],
    ['[fd00::1]', 'fd00::1'],
  ] as const) {
    assert.deepEqual(parse(text, 9705), { scheme: 'tcp', host, port: 9705 });
    assert.deepEqual(parse(formatAddress(networks, parse(text, 9705))), parse(text, 9705));
  }
  assert.equal(parse('[fd00::1]:80').port, 80);
  assert.throws(() => parse('fd00::1'), /it has no port. Write tcp:\/\/\[fd00::1\]:PORT/);
  for (const text of ['fd00::1::2', 'a:b:c', '::g', '1:2:3:4:5:6:7:8:9', 'xtcp://a:1', 'TCP://a:1'])
    assert.throws(() => parse(text, 9705), { code: 'ERR_LINK_ADDRESS' });
});

test('each network prints what it reads, and reads what it prints', () => {
  for (const [network, text] of [
    [tcpNetwork, 'tcp://10.0.0.2:9705'],
    [tcpNetwork, 'tcp://[fd00::1]:9705/2'],
    [tcpNetwork, 'tcp://lab.example.org:80/n.1'],
    [unixNetwork, 'unix:///run/user/1000/app.sock'],
    [memory, 'mem://a:1'],
    [memory, 'mem://a:1/3'],
  ] as const)
    assert.equal(network.print(network.parse(text)), text);
});

test('a text that is no address is refused with why, and with what to write in its network', () => {
  const says = (text: string, why: RegExp): void =>
    assert.throws(() => parse(text), { code: 'ERR_LINK_ADDRESS', message: new RegExp(`^'${text}' is no address: ${why.source}`) });
  says('tcp://10.0.0.2', /it has no port\. Write tcp:\/\/HOST:PORT, for example tcp:\/\/10\.0\.0\.2:9705\.$/);
  says('10.0.0.2:70000', /its port is above 65535\. Write tcp:\/\//);
  says('10.0.0.2 9705', /it is not HOST:PORT\. Write tcp:\/\//);
  says('unix://app.sock', /its path does not begin with \/\. Write unix:\/\/\/PATH/);
  says(`unix:///${'x'.repeat(200)}`, /its path is longer than 103 bytes\. Write unix:\/\/\/PATH/);
  assert.throws(() => memory.parse('mem://a'), { message: /^'mem:\/\/a' is no address: it has no port\. Write mem:\/\/HOST:PORT/ });
});

test('a scheme that no network has is refused with those that there are', () => {
  for (const scheme of ['mem', 'http', 'constructor', 'nats'])
    assert.throws(() => parse(`${scheme}://a:1`), {
      code: 'ERR_LINK_ADDRESS',
      message: `'${scheme}://a:1' is no address: there is no network '${scheme}' here. Write one that begins with tcp:// or unix://.`,
    });
});

test('an address without a scheme is one of the first network, and is printed short', () => {
  assert.equal(wholeAddress(networks, 'a', 9), 'tcp://a:9');
  assert.equal(wholeAddress({ mem: memory, ...networks }, 'a', 9), 'mem://a:9');
  assert.equal(shortAddress(networks, 'tcp://a:9'), 'a:9');
  assert.equal(shortAddress(networks, 'unix:///a'), 'unix:///a');
});

test('an address says whether it means another place on every machine, and whether bytes leave the machine', () => {
  const says = (network: Network, text: string): readonly boolean[] => {
    const { perMachine, stays } = network.local(network.parse(text));
    return [perMachine, stays];
  };
  for (const text of ['tcp://127.0.0.1:1', 'tcp://[::1]:1', 'tcp://localhost:1']) assert.deepEqual(says(tcpNetwork, text), [true, true]);
  for (const text of ['tcp://10.0.0.2:1', 'tcp://0.0.0.0:1', 'tcp://lab:1']) assert.deepEqual(says(tcpNetwork, text), [false, false]);
  assert.deepEqual(says(unixNetwork, 'unix:///a'), [true, true]);
  assert.deepEqual(says(memory, 'mem://a:1'), [false, true]);
});
