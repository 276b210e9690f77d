// Chooses the ports at which workers listen, from the ports that a host was given.
import { FlotillaError } from '../../base/index.ts';

const MOST_PORT = 65_535;

/** The ports of workers, from worker 1 on: the given ones but the host's own, then upwards from the highest. Throws ERR_OPTION_INVALID. */
export function workerPorts(given: readonly number[], own: number, workers: number): readonly number[] {
  if (given.length === 0) return [];
  const ports = [...new Set(given)].sort((a, b) => a - b).filter((port) => port !== own);
  for (let next = Math.max(...given) + 1; ports.length < workers; next++) if (next !== own) ports.push(next);
  ports.length = workers;
  if (ports.every((port) => port <= MOST_PORT)) return ports;
  throw new FlotillaError(
    'ERR_OPTION_INVALID',
    `${workers} workers and these --tcp-ports need ports above ${MOST_PORT}: begin lower, or have fewer workers with --cpus.`,
  );
}
