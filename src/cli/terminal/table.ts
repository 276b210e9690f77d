// A cluster's state as tables for people.
import type { ClusterStatus } from '../../cluster/index.ts';
import { type Column, table } from './layout.ts';

const GIB = 1 << 30;

const HOSTS: readonly Column[] = [
  ['HOST', 0],
  ['GRANTED', 0],
  ['CPU FREE', 1],
  ['MEMORY FREE', 2],
  ['DISK FREE', 4],
  ['LOAD', 3],
  ['', 0],
  ['ADDRESSES', 5],
];
const WORKERS: readonly Column[] = [
  ['WORKER', 0],
  ['PROCESS', 2],
  ['CLIENT', 0],
  ['CALLS', 0],
  ['TASKS', 0],
  ['IDLE', 1],
];
const CLIENTS: readonly Column[] = [
  ['CLIENT', 0],
  ['WORKERS', 0],
  ['WANTS', 4],
  ['WEIGHT', 6],
  ['RUNNING', 1],
  ['WAITING', 2],
  ['DONE', 0],
  ['FAILED', 3],
  ['RETRIED', 5],
];

/** The tables of hosts and clients; with `workers`, of workers, too. */
export function formatStatus({ scheduler, hosts, clients }: ClusterStatus, workers: boolean): string {
  const hostRows = hosts.map(({ name, workers: all, granted, open, availability: free, addresses }) => [
    name,
    `${granted}/${all}`,
    ...(free ? [`${free.cpu} %`, gib(free.memory), gib(free.disk), free.load.toFixed(1)] : ['-', '-', '-', '-']),
    open ? '' : 'closed',
    addresses.join(' '),
  ]);
  const clientRows = clients.map(({ name, workers: has, wants, weight, exclusive, admitted, counters: c }) => [
    name,
    admitted ? String(has) : 'waits',
    exclusive ? 'alone' : wants === undefined ? 'all' : String(wants),
    String(weight),
    ...(c ? [c.running, c.waiting, c.done, c.failed, c.retried].map(String) : ['-', '-', '-', '-', '-']),
  ]);
  const slotRows = hosts.flatMap((host) =>
    host.slots.map(({ slot, pid, clientName, running, tasks, idleMs }) => [
      `${host.name}/${slot}`,
      pid === 0 ? 'starts' : String(pid),
      clientName,
      String(running),
      String(tasks),
      idleMs > 0 ? `${(idleMs / 1000).toFixed(0)} s` : '',
    ]),
  );
  return [
    `scheduler ${scheduler}`,
    '',
    table(HOSTS, hostRows, 'no host has joined'),
    '',
    ...(workers && slotRows.length > 0 ? [table(WORKERS, slotRows, ''), ''] : []),
    table(CLIENTS, clientRows, 'no client is connected'),
    '',
  ].join('\n');
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
