// Loaded ahead of a daemon or client: tells the soak of its heap and timers, and ends the process when the soak is gone.
import { isMainThread } from 'node:worker_threads';
import type { Order } from './protocol.ts';

const LATE_MS = 5_000;

function countTimers(): () => number {
  const live = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const counted = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): unknown => {
    const timer = set(() => {
      live.delete(timer);
      callback(...args);
    }, ms);
    live.add(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign(counted, set) as typeof set;
  globalThis.clearTimeout = ((timer: NodeJS.Timeout) => {
    live.delete(timer);
    clear(timer);
  }) as typeof clear;
  return () => live.size;
}

if (isMainThread && process.send) {
  const { setTimeout: later } = globalThis;
  const timers = countTimers();
  process.on('message', (order: Order) => {
    if (order !== 'holdings') return;
    (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, external } = process.memoryUsage();
    process.send?.({ kind: 'holdings', heap: heapUsed, external, timers: timers() });
  });
  process.channel?.unref();
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    later(() => process.kill(process.pid, 'SIGKILL'), LATE_MS).unref();
  });
}
