// The options of the daemons: what words of a command line and of a file come to, from the tables of the host and the scheduler.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { doctorCommand } from '../../src/cli/doctor.ts';
import { camel, optionsFor } from '../../src/cli/option-table.ts';
import { fromFile, optionsOf, settingsOf, toFile, type Values, withOurSpelling, withoutDefaults } from '../../src/cli/options.ts';
import { topCommand } from '../../src/cli/status.ts';
import { SCHEDULER_OPTIONS } from '../../src/cluster/index.ts';
import { HOST_OPTIONS, type HostSettings } from '../../src/host/index.ts';

function given(of: 'host' | 'scheduler', words: readonly string[]): Values {
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  for (const option of optionsOf(of)) command.addOption(option);
  command.parse(withOurSpelling(words, of), { from: 'user' });
  return withoutDefaults(of, command.opts());
}

function host(...words: string[]): HostSettings {
  return HOST_OPTIONS.check(settingsOf('host', given('host', words), HOST_OPTIONS.rows));
}

test('what is written of a host is what its daemon is told, by its names and in its units', () => {
  assert.deepEqual(host(), {});
  assert.deepEqual(host('-c', '2', '--zombie_period', '1.5', '--max-file-size', '2m', '--debug', '--config', 'x.json'), {
    cpus: 2,
    zombiePeriod: 1_500,
    maxFileSize: 2 << 20,
  });
  assert.deepEqual(host('--tcp-ports', '9706-9708', '--ports', '9800', '--peer', 'a:1', '--peer', 'b:2', '-i', 'c', '--dest', '/d'), {
    ports: [9706, 9707, 9708, 9800],
    peers: ['a:1', 'b:2'],
    listen: ['c'],
    dest: '/d',
  });
  assert.deepEqual(host('--no-discovery', '--no-spare', '--clean', '--min-pulse-interval', '0.5'), {
    discovery: false,
    spare: false,
    clean: true,
    minPulse: 500,
  });
});

test('what is written of a scheduler is what its daemon is told', () => {
  const values = given('scheduler', ['--node', 'north', '--relay-node', 'south', '--quota', 'batch=4', '--exclusive']);
  assert.deepEqual(SCHEDULER_OPTIONS.check(settingsOf('scheduler', values, SCHEDULER_OPTIONS.rows)), {
    hosts: ['north', 'south'],
    quota: ['batch=4'],
    exclusive: true,
  });
});

test('a word that cannot be a value is told what it must be', () => {
  assert.throws(() => host('--cpus', 'many'), /--cpus must be a number from -10000 to 10000\./);
  assert.throws(() => host('--pulse', '0.1'), /--pulse must be a number from 0\.5 to 100\./);
  assert.throws(() => host('--memory', 'lots'), /--memory must be a number of bytes, with k, m, g or t for more: 512m\./);
  assert.throws(() => host('--tcp-ports', '9-7'), /--tcp-ports must be a port, or two as 9706-9710\./);
});

test('a number of another verb is checked in the same way', () => {
  const refused = (command: Command, ...words: string[]): string => {
    try {
      command
        .exitOverride()
        .configureOutput({ writeErr() {} })
        .parse(words, { from: 'user' });
      return 'taken';
    } catch (error) {
      return String(error);
    }
  };
  assert.match(refused(topCommand(), '--interval', 'soon'), /--interval must be a number from 0 to 86400\./);
  assert.match(refused(topCommand(), '--times', 'often'), /--times must be a number from 0 to 1000000000\./);
  assert.match(refused(doctorCommand(), '--udp-port', '70000'), /--udp-port must be a number from 1 to 65535\./);
});

test('what a file says is what the command line would have said', () => {
  assert.deepEqual(fromFile('host', 'noDiscovery', true), ['discovery', false]);
  assert.deepEqual(fromFile('host', 'ext_host'.replace('_', '-'), ['a', 'b']), ['advertise', ['a', 'b']]);
  assert.deepEqual(fromFile('host', 'zombiePeriod', 7), ['zombiePeriod', 7_000]);
  assert.throws(() => fromFile('host', 'noDiscovery', 'yes'), /'noDiscovery' must be true or false; it is "yes"/);
  assert.throws(() => fromFile('host', 'pulse', 0), /'pulse': --pulse must be a number from 0\.5 to 100/);
});

test('an option that is saved is read again as it was; addresses, names and secrets are not saved', () => {
  for (const of of ['host', 'scheduler'] as const)
    for (const one of optionsFor(of)) {
      const values = given(of, one.text ? [`--${one.name}`, '70'] : [`--${one.name}`]);
      const saved = toFile(of, values);
      if (one.unsaved) assert.deepEqual(saved, {}, one.name);
      else
        assert.deepEqual(
          Object.fromEntries(Object.entries(saved).map(([name, value]) => fromFile(of, name, value))),
          values,
          `${of} ${camel(one.name)}`,
        );
    }
  const secrets = optionsFor('host').filter(({ name }) => /secret|^name$|ip-addr|advertise|port$|ports$/.test(name) && name !== 'udp-port');
  assert.deepEqual(
    secrets.filter(({ unsaved }) => !unsaved).map(({ name }) => name),
    ['scheduler-port'],
  );
});

test('every name of an option is of one option', () => {
  for (const of of ['host', 'scheduler'] as const) {
    const names = optionsFor(of).flatMap(({ name, aliases, letter }) => [name, ...aliases, ...(letter ? [letter] : [])]);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  }
});
