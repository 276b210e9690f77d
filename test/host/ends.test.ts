// Why a worker ended, in words: by what the system says, and what was printed last.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeExit, isInsides, tellingLines } from '../../src/host/process/ends.ts';

const killsBefore = Number.MAX_SAFE_INTEGER;
const of = (code: number | null, signal: NodeJS.Signals | null, ...lastLines: string[]): string =>
  describeExit({ code, signal, lastLines, killsBefore, limited: false });

test('a full heap, a system without memory, and other ends are told apart', () => {
  const heap = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
  assert.match(of(134, null, heap), /its heap was full: let it have more \(--heap/);
  assert.match(of(null, 'SIGABRT', 'FATAL ERROR: Ineffective mark-compacts near heap limit'), /its heap was full/);
  const space = 'FATAL ERROR: Committing semi space failed. Allocation failed - JavaScript heap out of memory';
  assert.match(of(null, 'SIGABRT', space), /the system gave it no more memory \(see ulimit -v/);
  assert.match(
    of(null, 'SIGTRAP', '# Fatal process OOM in Failed to reserve virtual memory for CodeRange'),
    /the system gave it no more memory/,
  );
  assert.match(of(null, 'SIGABRT'), /ran out of memory, or aborted/);
  assert.match(of(null, 'SIGKILL'), /was killed \(SIGKILL\)/);
  assert.match(of(0, null, heap), /process\.exit\(0\)/, 'what it printed before it ended well is none of that');
  assert.match(of(3, null), /exited with code 3/);
  assert.deepEqual(tellingLines(['', '#', '# Fatal process OOM', '  what():  std::bad_alloc']), [
    '# Fatal process OOM',
    '  what():  std::bad_alloc',
  ]);
});

test('a crash under a limit of address space says so; one without, or an end that is no crash, does not', () => {
  const limited = (signal: NodeJS.Signals): string => describeExit({ code: null, signal, lastLines: [], killsBefore, limited: true });
  assert.match(limited('SIGSEGV'), /^it crashed \(SIGSEGV\), most likely because the system gave it no more memory \(see ulimit -v/);
  assert.doesNotMatch(limited('SIGTERM'), /memory/);
  assert.equal(of(null, 'SIGSEGV'), 'it was ended by SIGSEGV');
});

test('the frames of a crash are held back, whether they name the program by its title or by its path; what is like them is not', () => {
  for (const line of [
    ' 1: 0xb76dc5 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [flotilla-worker:vm/1]',
    ' 3: 0xc70daf  [/usr/lib/node_modules/node/bin/node]',
    '14: 0x7ff1dfe478ec  [/lib/x86_64-linux-gnu/libc.so.6]',
    '----- Native stack trace -----',
    '<--- Last few GCs --->',
  ])
    assert.ok(isInsides(line), line);
  for (const line of [' 1: 0xb76dc5 read', '12: 0x7ff1 [1, 2]', 'Error: [/lib/x] is not there', '1: all is well [/tmp]'])
    assert.ok(!isInsides(line), line);
});
