// flotilla status: what a cluster has and does.
import { Command } from 'commander';
import { type ClusterStatus, fetchStatus, SCHEDULER_PORT } from '../cluster/index.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Show the hosts, workers and clients of a cluster.')
    .option('-s, --scheduler <address>', 'the scheduler to ask', process.env['FLOTILLA_SCHEDULER'] || `tcp://127.0.0.1:${SCHEDULER_PORT}`)
    .option('--json', 'for machines')
    .action(async (options: { scheduler: string; json?: boolean }) => {
      const status = (await fetchStatus(options.scheduler)) as ClusterStatus;
      process.stdout.write(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : formatStatus(status));
    });
}

function formatStatus({ scheduler, hosts, clients }: ClusterStatus): string {
  const hostRows = hosts.map((host) => [host.name, String(host.workers), String(host.granted), host.addresses.join(' ')]);
  const clientRows = clients.map(({ name, workers, wants, counters: c }) => [
    name,
    String(workers),
    wants === undefined ? 'all' : String(wants),
    ...(c ? [c.running, c.waiting, c.done, c.failed, c.retried].map(String) : ['-', '-', '-', '-', '-']),
  ]);
  return [
    `scheduler ${scheduler}`,
    '',
    table(['HOST', 'WORKERS', 'GRANTED', 'ADDRESSES'], hostRows, 'no host has joined'),
    '',
    table(['CLIENT', 'WORKERS', 'WANTS', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'RETRIED'], clientRows, 'no client is connected'),
    '',
  ].join('\n');
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
