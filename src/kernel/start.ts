// Reads the options of a runtime, and makes of them what its byte side is started with: identity, keys, places, log.
import { type Log, lineLog, shortId } from '../base/index.ts';
import { Identity, Keyring } from '../transport/index.ts';
import { certificateOf } from './certificate.ts';
import type { Environment } from './environment.ts';
import { checkRuntimeOptions, type ListenPlace, placesOf, type RuntimeOptions, secretsOf, weakness } from './runtime-options.ts';
import { ANSWER_MS, type HubOptions } from './sessions/hub-options.ts';

const PULSE_MS = 2_000;

/** The options of a runtime, read and completed. */
export interface Start {
  readonly log: Log;
  /** The places to listen at. */
  readonly places: readonly ListenPlace[];
  /** The valid secrets, the current one first. */
  readonly secrets: readonly Uint8Array[];
  readonly hub: Omit<HubOptions, 'ignores' | 'events'>;
}

/** Reads the options of a runtime, and the secret. Throws ERR_OPTION_*, ERR_SECRET_FILE or ERR_LINK_ADDRESS. */
export function startOf(options: RuntimeOptions, environment: Environment): Start {
  const { networks } = environment;
  checkRuntimeOptions(options, networks);
  const log = options.log ?? (options.logLevel ? lineLog(environment.print, options.logLevel) : environment.log);
  const places = placesOf(options, networks);
  const certificate = certificateOf(options, environment.clock.wall());
  const given = secretsOf(options) ?? (certificate ? [certificate.key] : undefined);
  const loaded = given ?? environment.secret();
  const secrets = loaded instanceof Uint8Array ? [loaded] : loaded;
  const keys = new Keyring(secrets);
  const why = weakness(secrets[0] as Uint8Array);
  if (why && places.length > 0)
    log.warn(`The secret is easily guessed: ${why}. Whoever guesses it may connect; 'flotilla secret create' makes a good one.`);
  const identity = Identity.fresh(environment.random);
  return {
    log,
    places,
    secrets,
    hub: {
      identity,
      name: options.name ?? `runtime-${shortId(identity.id)}`,
      role: options.role ?? 'runtime',
      keys,
      certificate,
      environment,
      pulseMs: options.pulse ?? PULSE_MS,
      answerMs: options.answerTimeout ?? ANSWER_MS,
      encrypt: options.encrypt ?? 'auto',
      log,
    },
  };
}
