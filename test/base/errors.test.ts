import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, FlotillaError, hasCode } from '../../src/base/index.ts';

test('hasCode tells errors by their code, and without one whether they are ours', () => {
  const ours = new FlotillaError('ERR_TIMEOUT', 'late');
  const copied = Object.assign(new Error('late'), { code: 'ERR_TIMEOUT' }); // as it is after another copy of the class made it
  const theirs = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  for (const error of [ours, copied]) {
    assert.equal(hasCode(error, 'ERR_TIMEOUT'), true);
    assert.equal(hasCode(error, 'ERR_CLOSED'), false);
    assert.equal(hasCode(error), true);
  }
  for (const other of [
    theirs,
    new Error('x'),
    undefined,
    null,
    'ERR_TIMEOUT',
    { code: 'ERR_TIMEOUT' },
    Object.assign(new Error(), { code: 7 }),
  ])
    assert.equal(hasCode(other), false);
  const unknown: unknown = ours;
  if (hasCode(unknown)) assert.ok(ERRORS[unknown.code].means);
});
