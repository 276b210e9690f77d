// Service hours, accounts, ports: what a host makes of its options, without starting one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { accountsOf, parseHours, serviceAt } from '../../src/host/index.ts';
import { ROOT } from '../support/processes.ts';

const at = (text: string): number => new Date(text).getTime();
const show = (ms: number): string => {
  const date = new Date(ms);
  return `${date.getDate()} ${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
};

test('service across midnight: open from 17:00, stopping from 7:00, ended from 8:00, every day', () => {
  const hours = parseHours({ start: '17:00', stop: '07:00', end: '08:00' }, at('2026-03-02T12:00'));
  const phase = (text: string): string => {
    const { phase: now, until } = serviceAt(hours, at(text));
    return `${now} until ${show(until)}`;
  };
  assert.equal(phase('2026-03-02T12:00'), 'closed until 2 17:00');
  assert.equal(phase('2026-03-02T17:00'), 'open until 3 07:00');
  assert.equal(phase('2026-03-03T03:00'), 'open until 3 07:00');
  assert.equal(phase('2026-03-03T07:00'), 'stopping until 3 08:00');
  assert.equal(phase('2026-03-03T08:00'), 'closed until 3 17:00');
});

test('without a start, service begins now; without an end, what runs may go on until the next start', () => {
  const now = at('2026-03-02T09:30');
  const hours = parseHours({ stop: '12:00' }, now);
  assert.deepEqual(serviceAt(hours, now), { phase: 'open', until: at('2026-03-02T12:00') });
  assert.deepEqual(serviceAt(hours, at('2026-03-02T13:00')), { phase: 'stopping', until: at('2026-03-03T09:30') });
  const ends = parseHours({ start: '22:00', end: '06:00' }, now);
  assert.deepEqual(serviceAt(ends, at('2026-03-02T23:00')), { phase: 'open', until: at('2026-03-03T06:00') });
  assert.equal(serviceAt(ends, at('2026-03-03T06:00')).phase, 'closed');
});

test('hours that cannot be are refused, naming what is wrong', () => {
  assert.throws(() => parseHours({ start: '7pm', end: '8:00' }, 0), /HH:MM; it is '7pm'/);
  assert.throws(() => parseHours({ start: '17:00' }, 0), /need an end/);
  assert.throws(() => parseHours({ start: '17:00', end: '17:00' }, 0), /different times/);
  assert.throws(() => parseHours({ start: '17:00', stop: '09:00', end: '08:00' }, 0), /stop before it ends/);
});

test('days of 23 and 25 hours begin and end at the time on the wall', () => {
  const script = `
    import { parseHours, serviceAt } from '${ROOT}/dist/src/host/index.js';
    const at = (text) => new Date(text).getTime();
    const hours = parseHours({ start: '01:30', stop: '03:30', end: '04:00' }, at('2026-03-01T00:00'));
    const out = (text) => { const { phase, until } = serviceAt(hours, at(text)); return phase + ' ' + new Date(until).toTimeString().slice(0, 5) + ' ' + (until - at(text)) / 60000; };
    console.log([out('2026-03-29T01:45'), out('2026-10-25T01:45'), out('2026-03-28T23:30')].join('|'));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TZ: 'Europe/Berlin' },
    encoding: 'utf8',
  });
  // The clock jumps from 2:00 to 3:00 in March, and back from 3:00 to 2:00 in October.
  assert.equal(stdout.trim(), 'open 03:30 45|open 03:30 165|closed 01:30 120', stderr);
});

test('other users are for root only, must exist, and must not be root', { skip: process.platform === 'win32' }, () => {
  assert.deepEqual(accountsOf(undefined, undefined), []);
  if (process.getuid?.() !== 0) return assert.throws(() => accountsOf('nobody', undefined), /Only root can/);
  assert.throws(() => accountsOf('no-such-user', undefined), /no user 'no-such-user'.*useradd/);
  assert.throws(() => accountsOf('root', undefined), /must not run as root/);
  assert.equal(accountsOf('nobody,12345', undefined)[1]?.uid, 12345);
});
