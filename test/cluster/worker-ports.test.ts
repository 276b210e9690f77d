// Ports of workers: as dispycosnode gives them out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerPorts } from '../../src/cluster/daemons/worker-ports.ts';

test('the first port is the host’s, workers take the others, and more of them go on from the highest', () => {
  assert.deepEqual(workerPorts([3456], 3456, 3), [3457, 3458, 3459]);
  assert.deepEqual(workerPorts([2345, 2346, 2347, 3779], 2345, 7), [2346, 2347, 3779, 3780, 3781, 3782, 3783]);
  assert.deepEqual(workerPorts([3779, 2347, 2345, 2345], 2345, 1), [2347]);
  assert.deepEqual(workerPorts([6000, 6001], 9706, 3), [6000, 6001, 6002], 'a host that listens elsewhere leaves all to its workers');
  assert.deepEqual(workerPorts([], 9706, 3), [], 'any that is free');
  assert.throws(() => workerPorts([65_534], 65_534, 2), { code: 'ERR_OPTION_INVALID' });
});
