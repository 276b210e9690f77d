// What a client does about what happens to its hosts and workers, one event after another, without a host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CrewEffect, Grant } from '../../src/cluster/crew/effects.ts';
import { react } from '../../src/cluster/crew/react.ts';
import { type CrewState, emptyCrew, leaves } from '../../src/cluster/crew/state.ts';
import type { Station } from '../../src/cluster/crew/station.ts';
import type { Member } from '../../src/cluster/dispatch/work.ts';
import type { WorkerInfo } from '../../src/host/index.ts';

const facts = { name: 'alpha', platform: '', workers: 2, cores: 2, memory: 0, disk: 0, swap: 0 };
const grant: Grant = { kind: 'grant', host: 'h' as never, facts, addresses: ['tcp://alpha:1'], slots: [1, 2], epoch: 1 };
const kinds = (effects: readonly CrewEffect[]): string[] =>
  effects.map((effect) => (effect.kind === 'tell' ? effect.change.kind : effect.kind)).filter((kind) => kind !== 'resolve');
const infoOf = (slot: number, id = `w${slot}`): WorkerInfo => ({
  id: id as never,
  name: `alpha/${slot}`,
  host: grant.host,
  hostName: 'alpha',
  slot,
  epoch: 1,
  pid: 1,
  addresses: [],
});

function here(state: CrewState): Station {
  return state.stations.get(grant.host) as Station;
}

// A client with a host that has gone through its steps.
function withHost(): { state: CrewState; station: Station } {
  const state = emptyCrew();
  react(state, { kind: 'granted', grant, barred: false });
  const station = here(state);
  react(state, { kind: 'attached', station, tenancy: 1 });
  react(state, { kind: 'equipped', station, waits: false });
  react(state, { kind: 'set-up', station });
  return { state, station };
}

function arrive(state: CrewState, station: Station, slot: number, id?: string): Member {
  const info = infoOf(slot, id);
  react(state, { kind: 'heard', station, notice: { kind: 'worker-ready', worker: info } });
  react(state, { kind: 'worker-arrived', station, info });
  react(state, { kind: 'worker-equipped', station, info, waits: false });
  react(state, { kind: 'worker-set-up', station, info });
  return state.members.get(info.id) as Member;
}

test('a host that is granted is reached, told of, given code and set up, and its workers start then', () => {
  const state = emptyCrew();
  assert.deepEqual(kinds(react(state, { kind: 'granted', grant, barred: false })), ['attach']);
  const station = here(state);
  assert.deepEqual(kinds(react(state, { kind: 'attached', station, tenancy: 1 })), ['found', 'host-discovered', 'equip']);
  assert.deepEqual(kinds(react(state, { kind: 'equipped', station, waits: true })), ['await-enabled']);
  assert.match(station.waitsFor, /client\.enableHost\('alpha'\)/);
  assert.deepEqual(kinds(react(state, { kind: 'enabled', station, args: ['x'] })), ['set-up']);
  const last = react(state, { kind: 'set-up', station });
  assert.deepEqual(kinds(last), ['host-initialized', 'begin']);
  assert.deepEqual(station.args, ['x']);
});

test('a worker is told of before it is set up, and works after; one that its host ends meanwhile does not', () => {
  const { state, station } = withHost();
  const info = infoOf(1);
  assert.deepEqual(kinds(react(state, { kind: 'heard', station, notice: { kind: 'worker-ready', worker: info } })), ['await-host']);
  assert.deepEqual(kinds(react(state, { kind: 'worker-arrived', station, info })), ['worker-discovered', 'equip-worker']);
  assert.deepEqual(kinds(react(state, { kind: 'worker-equipped', station, info, waits: true })), ['await-worker-enabled']);
  assert.deepEqual(kinds(react(state, { kind: 'worker-enabled', station, info, args: [1] })), ['set-up-worker']);
  const ended = { kind: 'worker-ended', name: info.name, worker: info.id, slot: 1, reason: 'killed', lastLines: [] } as never;
  assert.deepEqual(kinds(react(state, { kind: 'heard', station, notice: ended })), ['worker-lost']);
  assert.deepEqual(react(state, { kind: 'worker-set-up', station, info }), []);
  assert.equal(state.members.size, 0);
});

test('the next worker of a place is set up with the arguments that enabled the last', () => {
  const { state, station } = withHost();
  const [first, next] = [infoOf(1, 'first'), infoOf(1, 'next')];
  react(state, { kind: 'heard', station, notice: { kind: 'worker-ready', worker: first } });
  react(state, { kind: 'worker-arrived', station, info: first });
  react(state, { kind: 'worker-enabled', station, info: first, args: [7] });
  react(state, { kind: 'heard', station, notice: { kind: 'worker-ready', worker: next } });
  assert.deepEqual(react(state, { kind: 'worker-arrived', station, info: first }), [], 'another has its place');
  react(state, { kind: 'worker-arrived', station, info: next });
  const [effect] = react(state, { kind: 'worker-equipped', station, info: next, waits: true });
  assert.deepEqual(effect?.kind === 'set-up-worker' && effect.args, [7]);
});

test('what happens at a host that is gone, or came anew, changes nothing', () => {
  const { state, station } = withHost();
  react(state, { kind: 'peer-ended', peer: grant.host, end: { kind: 'closed', message: 'it left' } as never });
  react(state, { kind: 'granted', grant: { ...grant, epoch: 2 }, barred: false });
  for (const event of [
    { kind: 'equipped', station, waits: false },
    { kind: 'set-up', station },
    { kind: 'failed', station, error: new Error('late') },
    { kind: 'worker-arrived', station, info: infoOf(1) },
    { kind: 'give-back', station, slot: 1, reason: 'late' },
  ] as const)
    assert.deepEqual(react(state, event), [], event.kind);
  assert.notEqual(here(state), station);
  assert.equal(here(state).phase, 'discovered');
});

test('more of a host is begun in the same stay there; in another stay all of before is lost, and it enters anew', () => {
  const { state, station } = withHost();
  const again = { ...grant, slots: [3] };
  assert.deepEqual(kinds(react(state, { kind: 'granted', grant: again, barred: false })), ['attach-again']);
  assert.deepEqual(kinds(react(state, { kind: 'more', began: station, grant: again, barred: false, tenancy: 1 })), ['begin']);
  const anew = react(state, { kind: 'more', began: station, grant: again, barred: false, tenancy: 2 });
  assert.deepEqual(kinds(anew), ['log', 'host-lost', 'fail-waiting', 'attach']);
  assert.deepEqual([...here(state).slots], [3]);
});

test('a grant that comes while its host goes holds for the host as it comes back', () => {
  const { state, station } = withHost();
  react(state, { kind: 'granted', grant: { ...grant, slots: [3] }, barred: false });
  react(state, { kind: 'heard', station, notice: { kind: 'dismissed', tenancy: 1, reason: 'it was silent' } });
  assert.equal(state.stations.size, 0);
  const back = react(state, { kind: 'more', began: station, grant: { ...grant, slots: [3] }, barred: false, tenancy: 2 });
  assert.deepEqual(kinds(back), ['attach']);
});

test('a place goes when its worker has nothing under way, and with the last place the host', () => {
  const { state, station } = withHost();
  const [one, two] = [arrive(state, station, 1), arrive(state, station, 2)];
  assert.deepEqual(kinds(react(state, { kind: 'drained', member: one })), ['idle'], 'nothing was decided of it');
  leaves(state, one, false, 'its client closed it');
  assert.deepEqual(kinds(react(state, { kind: 'drained', member: one })), ['end', 'release']);
  leaves(state, two, true, undefined);
  assert.deepEqual(kinds(react(state, { kind: 'drained', member: two })), ['close'], 'a fresh process follows');
  const last = react(state, { kind: 'give-back', station, slot: 2, reason: 'done' });
  assert.deepEqual(kinds(last), ['end', 'release', 'host-closed', 'fail-waiting', 'none-left']);
});

test('a host that is lost loses its workers first, each once; one that was never told of, silently', () => {
  const { state, station } = withHost();
  arrive(state, station, 1);
  const end = { kind: 'silent', message: 'it is silent' } as never;
  const effects = react(state, { kind: 'peer-ended', peer: grant.host, end });
  assert.deepEqual(kinds(effects), ['disown', 'log', 'lose', 'host-lost', 'fail-waiting']);
  assert.deepEqual(react(state, { kind: 'worker-lost', id: infoOf(1).id, loss: {} as never }), []);
  const early = emptyCrew();
  react(early, { kind: 'granted', grant, barred: false });
  assert.deepEqual(kinds(react(early, { kind: 'peer-ended', peer: grant.host, end })), ['disown', 'log']);
});

test('the loss of a worker waits for the word of its host', () => {
  const { state, station } = withHost();
  const { info } = arrive(state, station, 1);
  const end = { kind: 'lost', message: 'its socket closed' } as never;
  assert.deepEqual(kinds(react(state, { kind: 'peer-ended', peer: info.id, end })), ['await-report']);
  const ended = { kind: 'worker-ended', name: info.name, worker: info.id, slot: 1, reason: 'exit code 3', lastLines: [] } as never;
  const [lose] = react(state, { kind: 'heard', station, notice: ended });
  assert.equal(lose?.kind === 'lose' && lose.loss.reason, 'exit code 3');
});

test('a worker of a host that was suspended while it was set up is given nothing either', () => {
  const { state, station } = withHost();
  const info = infoOf(1);
  react(state, { kind: 'heard', station, notice: { kind: 'worker-ready', worker: info } });
  react(state, { kind: 'worker-arrived', station, info });
  station.suspended = true;
  react(state, { kind: 'worker-set-up', station, info });
  assert.notEqual(state.members.get(info.id)?.pause, 0);
});

test('while the client leaves nothing is granted, released or told as lost', () => {
  const { state, station } = withHost();
  arrive(state, station, 1);
  state.closing = true;
  assert.deepEqual(react(state, { kind: 'granted', grant, barred: false }), []);
  assert.deepEqual(react(state, { kind: 'peer-ended', peer: grant.host, end: { kind: 'silent', message: '' } as never }), []);
  assert.deepEqual(kinds(react(state, { kind: 'give-back', station, slot: 1, reason: 'the client closed' })), ['end']);
});

test('a host that cannot be used is told of with its reason, and not asked for again; the last that has closed this client bars it', () => {
  const { state, station } = withHost();
  const effects = react(state, { kind: 'failed', station, error: new Error('its set-up threw') });
  assert.deepEqual(kinds(effects), ['log', 'limit', 'detach', 'host-failed']);
  assert.equal(state.lastFailure?.message, 'its set-up threw');
  assert.deepEqual(kinds(react(state, { kind: 'granted', grant, barred: true })), ['detach']);
  assert.equal(state.stations.size, 0);
});
