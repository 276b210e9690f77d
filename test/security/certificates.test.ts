// Certificates instead of the secret, or with it: who is let in, who is not, and what both sides are told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { nodeEnvironment, PulseThread, Runtime, type RuntimeOptions } from '../../src/kernel/index.ts';
import { tcpNetwork } from '../../src/transport/index.ts';
import { tempFolder } from '../support/processes.ts';

const skip = spawnSync('openssl', ['version']).status !== 0;
const DAY_MS = 86_400_000;
const OPENSSL = /OpenSSL|openssl|SSL routines|0A0[0-9A-F]{5}|ALERT|self.signed|DEPTH_ZERO|CERT_/;

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

// A certificate and its key in one file.
function make(folder: string, name: string): string {
  const path = join(folder, name);
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '10', '-keyout', path, '-out', `${path}.crt`, '-subj', '/CN=flotilla');
  appendFileSync(path, readFileSync(`${path}.crt`));
  return path;
}

// One that was valid in the year 2020.
function makeOld(folder: string): string {
  const path = join(folder, 'old.pem');
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  file('index', '');
  file('serial', '01');
  const config = file(
    'ca.cnf',
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${folder}/index\nserial=${folder}/serial\nnew_certs_dir=${folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
  );
  openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', path, '-out', `${path}.csr`, '-subj', '/CN=flotilla');
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z'];
  openssl(
    'ca',
    '-batch',
    '-notext',
    '-selfsign',
    '-config',
    config,
    '-keyfile',
    path,
    '-in',
    `${path}.csr`,
    '-out',
    `${path}.crt`,
    ...dates,
  );
  appendFileSync(path, readFileSync(`${path}.crt`));
  return path;
}

const at = (wall: number) => {
  const environment = nodeEnvironment();
  return { ...environment, clock: { ...environment.clock, wall: () => wall } };
};

test('a certificate that is not valid now, or does not fit its key, is refused at start', { skip }, async (t) => {
  const folder = tempFolder(t);
  const certfile = make(folder, 'cert.pem');
  const other = make(folder, 'other.pem');
  const refused = async (options: RuntimeOptions, wall: number, why: RegExp): Promise<void> => {
    await assert.rejects(Runtime.start({ logLevel: 'silent', ...options }, at(wall)), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'ERR_OPTION_INVALID');
      assert.match(error.message, why);
      return true;
    });
  };
  await refused({ certfile }, Date.now() + 11 * DAY_MS, /has expired: it was valid until/);
  await refused({ certfile }, Date.now() - DAY_MS, /is valid from .* on, and not now. Is the clock/);
  await refused({ certfile: makeOld(folder) }, Date.now(), /has expired/);
  await refused(
    { certfile: `${certfile}.crt`, keyfile: other },
    Date.now(),
    /the key in .*other.pem' does not fit the certificate in .*cert.pem.crt'/,
  );
  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await refused({ certfile: broken, keyfile: certfile }, Date.now(), /'certfile' .* cannot be used/);
  const runtime = await Runtime.start({ certfile: `${certfile}.crt`, keyfile: certfile, logLevel: 'silent' });
  await runtime.close();
});

test('who comes without our certificate, or with another, is told so, and so are we: in our words', { skip }, async (t) => {
  const folder = tempFolder(t);
  const certfile = make(folder, 'cert.pem');
  const old = makeOld(folder);
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => void lines.push(text), error() {} };
  const listen = 'tcp://127.0.0.1:0';
  const then = at(Date.UTC(2020, 5));
  const secret = 'a secret of enough bytes';
  const withCertificate = await Runtime.start({ certfile, listen, log });
  const withSecret = await Runtime.start({ secret, listen, log });
  const expired = await Runtime.start({ certfile: old, listen, log }, then);
  const cases: { from: Runtime; to: Runtime; there: RegExp; here: RegExp }[] = [];
  const dialer = async (options: RuntimeOptions, to: Runtime, there: RegExp, here = there, environment = nodeEnvironment()) => {
    const from = await Runtime.start({ logLevel: 'silent', ...options }, environment);
    cases.push({ from, to, there, here });
  };
  await dialer({ certfile: make(folder, 'other.pem') }, withCertificate, /another than ours/);
  await dialer({ secret }, withCertificate, /came without one/, /another than this runtime/);
  await dialer({ secret, encrypt: 'always' }, withCertificate, /uses one|uses none|without one/);
  await dialer({ certfile }, withSecret, /uses one, and this runtime the secret alone/, /uses none, but the secret alone/);
  await dialer({ certfile: old }, expired, /has expired/, /has expired/, then);
  for (const { from, to, there, here } of cases) {
    lines.length = 0;
    await assert.rejects(from.connect(to.location as string, { timeout: 5_000 }), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'ERR_LINK_CERTIFICATE', error.message);
      assert.match(error.message, here);
      assert.doesNotMatch(error.message, OPENSSL);
      return true;
    });
    for (let left = 100; lines.length === 0; left--) {
      assert.ok(left > 0, 'nothing was said where it came to');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.match(lines[0] as string, there);
    assert.doesNotMatch(lines[0] as string, OPENSSL);
    await from.close();
  }
  lines.length = 0;
  const { port } = tcpNetwork.parse(withCertificate.location as string);
  const stranger = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }).on('error', () => {});
  await new Promise<void>((resolve) => stranger.resume().once('close', () => resolve()));
  assert.match(lines.join(), /does not share our certificate: it came without one/);
  await Promise.all([withCertificate, withSecret, expired].map((runtime) => runtime.close()));
});

test('the thread that answers for a computing program has the certificate, too', { skip }, async (t) => {
  const certfile = make(tempFolder(t), 'cert.pem');
  const server = await Runtime.start({ certfile, listen: 'tcp://127.0.0.1:0', logLevel: 'silent' });
  const client = await Runtime.start({ certfile, pulse: 500, logLevel: 'silent' });
  await client.connect(server.location as string);
  const session = server.hub.session(client.id);
  const pulse = new PulseThread(client);
  const heard = new Promise<void>((resolve) => Object.assign(session as object, { heard: () => resolve() }));
  pulse.watch(server.location as string);
  await heard;
  await pulse.close();
  await Promise.all([client.close(), server.close()]);
});
