// flotilla host: offer this machine.
import { Command } from 'commander';
import { defined } from '../base/index.ts';
import { HOST_PORT, type HostDaemonOptions, SCHEDULER_PORT, serveHost } from '../cluster/index.ts';
import type { Account } from '../host/index.ts';
import { daemonCommand } from './daemon.ts';
import { pick, type Values } from './options.ts';

export function hostCommand(lent: Account | undefined): Command {
  const command = new Command('host')
    .description('Offer the cores of this machine to a scheduler, or to clients that find it, until stopped with Ctrl-C.')
    .argument('[address...]', 'addresses to listen at, as tcp://HOST:PORT; all of this machine by default')
    .addHelpText(
      'after',
      `\nWithout --scheduler it works for whoever finds it first: a scheduler on the network, or a program with scheduler: 'auto'.\n\nExamples:\n  $ flotilla host\n  $ flotilla host --port 9716 --cpus 1\n  $ flotilla host tcp://10.0.0.53:9706 --scheduler tcp://10.0.0.2:9705\n  $ flotilla host --service-start 17:00 --service-stop 07:00 --service-end 08:00`,
    );
  return daemonCommand(command, 'host', HOST_PORT, (values, listen, log) => serveHost({ ...chosen(values), lent, listen, log }));
}

function chosen(values: Values): Omit<HostDaemonOptions, 'listen' | 'lent' | 'log'> {
  const { tcpPorts, peer, pulse, minPulseInterval, maxPulseInterval, destPath, serviceStart, serviceStop, serviceEnd, schedulerPort } =
    values;
  const scheduler = (values['scheduler'] as string | undefined) ?? (process.env['FLOTILLA_SCHEDULER'] || undefined);
  const named =
    scheduler !== undefined && !['auto', 'local'].includes(scheduler)
      ? withPort(scheduler, (schedulerPort as number | undefined) ?? SCHEDULER_PORT)
      : undefined;
  const hours = [serviceStart, serviceStop, serviceEnd].some((time) => time !== undefined);
  return defined({
    ...pick(values, [
      'cpus',
      'advertise',
      'name',
      'discovery',
      'udpPort',
      'multicast',
      'heap',
      'memory',
      'processes',
      'user',
      'group',
      'secret',
    ]),
    ...pick(values, [
      'certfile',
      'keyfile',
      'zombiePeriod',
      'clientTimeout',
      'pingInterval',
      'msgTimeout',
      'maxFileSize',
      'onlyRegistered',
      'cleanup',
      'spare',
      'clean',
      'serve',
    ]),
    scheduler: named,
    ports: tcpPorts,
    peers: peer,
    dest: destPath,
    minPulse: minPulseInterval ?? pulse,
    maxPulse: maxPulseInterval ?? pulse,
    hours: hours ? { start: serviceStart, stop: serviceStop, end: serviceEnd } : undefined,
  }) as Omit<HostDaemonOptions, 'listen' | 'lent' | 'log'>;
}

function withPort(address: string, port: number): string {
  return /:\d+$/.test(address) ? address : `${address}:${port}`;
}
