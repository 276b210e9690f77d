// A cluster's state as tables for people.
import type { ClusterStatus } from '../cluster/index.ts';

const GIB = 1 << 30;

/** The tables of hosts and clients; with `workers`, of those too. */
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
    table(['HOST', 'GRANTED', 'CPU FREE', 'MEMORY FREE', 'DISK FREE', 'LOAD', '', 'ADDRESSES'], hostRows, 'no host has joined'),
    '',
    ...(workers && slotRows.length > 0 ? [table(['WORKER', 'PROCESS', 'CLIENT', 'CALLS', 'TASKS', 'IDLE'], slotRows, ''), ''] : []),
    table(
      ['CLIENT', 'WORKERS', 'WANTS', 'WEIGHT', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'RETRIED'],
      clientRows,
      'no client is connected',
    ),
    '',
  ].join('\n');
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

function table(head: readonly string[], rows: readonly string[][], none: string): string {
  if (rows.length === 0) return none;
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
