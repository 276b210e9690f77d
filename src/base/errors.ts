// All failures of Flotilla: their table, their one class, and the ways to recognise them.
//
//   ER1. A failure of ours is a FlotillaError with a code from the table; the row is its documentation
//       (docs/errors.md is printed from it).
//   ER2. Errors are recognised by code, never by class, because shipped code may hold another copy of the class.

/** Whether trying again can help: `never`, `later` (the same thing, after a while), `elsewhere` (on another worker or host). */
export type Retry = 'never' | 'later' | 'elsewhere';

interface Row {
  readonly retry: Retry;
  readonly means: string;
  readonly advice: string;
}

const row = (retry: Retry, means: string, advice: string): Row => ({ retry, means, advice });

/** The table of failures: the code, whether to retry, the meaning, and the remedy. */
export const ERRORS = {
  ERR_OPTION_UNKNOWN: row('never', 'An option that does not exist was given.', 'Use the option that the message suggests.'),
  ERR_OPTION_INVALID: row('never', 'An option has a value that cannot be used.', 'The message names the option and what it accepts.'),
  ERR_ABORTED: row('never', 'A signal given by the caller was aborted.', 'The cause is the reason given to the signal.'),
  ERR_TIMEOUT: row('later', 'A wait took longer than its timeout.', 'Raise the timeout, or ask why the other side is slow.'),
  ERR_CLOSED: row('never', 'The runtime, client or object was closed already.', 'Do not use it after close(); start a new one.'),
  ERR_WIRE_CANNOT_TRAVEL: row(
    'never',
    'A value cannot be sent: a function, a symbol, a promise, an object with private state.',
    'Send plain data; the message names the path to the value.',
  ),
  ERR_WIRE_MALFORMED: row(
    'never',
    'Bytes that arrived are not what the protocol allows.',
    'The other side is not a Flotilla runtime, or is broken; the link is closed.',
  ),
  ERR_WIRE_LIMIT: row('never', 'A value or frame is larger, deeper or has more parts than the limit.', 'Split it, or send it as a file.'),
  ERR_LINK_UNREACHABLE: row(
    'later',
    'Nothing answers at the address.',
    'Check that the program runs there, the address, and the firewall.',
  ),
  ERR_LINK_LOST: row('later', 'A connection broke.', 'Sessions resume by themselves; this is seen only where there is none yet.'),
  ERR_LINK_WRONG_SECRET: row(
    'never',
    'The two sides do not share a secret.',
    "Copy the secret file to both machines: 'flotilla secret' shows how.",
  ),
  ERR_LINK_CERTIFICATE: row(
    'never',
    'One side of a connection has no certificate, another than the other side, or one that is not valid now.',
    "Copy one certificate to all machines, and give it to every runtime as 'certfile'. The message says what is wrong.",
  ),
  ERR_LINK_VERSION: row('never', 'The two sides speak no common protocol version.', 'Install the same major version of flotilla on both.'),
  ERR_LINK_REFUSED: row('later', 'The other side refused the connection.', 'The message says why.'),
  ERR_LINK_ADDRESS: row('never', 'An address cannot be understood.', 'Write it as tcp://HOST:PORT.'),
  ERR_LINK_PORT_IN_USE: row('never', 'The port is used by another program.', 'Choose another port with --port, or end the other program.'),
  ERR_SECRET_FILE: row('never', 'The secret file cannot be used.', 'The message names the file and what is wrong with it.'),
  ERR_SESSION_OVERRUN: row(
    'later',
    'A sender ignored that there was no room, far past the window.',
    'Wait for room() when send() returns false.',
  ),
  ERR_SESSION_LOST: row(
    'elsewhere',
    'The runtime at the other end is gone, or has been silent past the limit.',
    'What was not acknowledged may or may not have happened.',
  ),
  ERR_REFERENCE_STALE: row(
    'never',
    'A reference points into a runtime that is gone; another one answers at its address.',
    'Get a new reference.',
  ),
  ERR_REFERENCE_UNREACHABLE: row(
    'later',
    'No way leads to the runtime that a reference points into.',
    'Connect the two runtimes, or pass the reference through one that knows both.',
  ),
  ERR_TASK_ENDED: row('never', 'The task has ended and takes no more messages.', 'Watch the task with monitor().'),
  ERR_TASK_UNKNOWN: row('never', 'There is no such task.', 'It may have ended long ago.'),
  ERR_TASK_INTERRUPTED: row(
    'never',
    'The task was asked to end while it waited.',
    'Clean up and return; after the grace period it is killed.',
  ),
  ERR_TASK_SWAPPED: row(
    'never',
    'The function of a swappable task is to be replaced.',
    'Let the error pass to accept the new function; catch it to refuse.',
  ),
  ERR_MAILBOX_CLOSED: row('never', 'The mailbox was closed and is empty.', 'End the loop.'),
  ERR_NAME_TAKEN: row(
    'never',
    'Another task, channel or service of this runtime has the name.',
    'Choose another name, or unregister the other.',
  ),
  ERR_NAME_UNKNOWN: row(
    'later',
    'No runtime that was asked knows the name.',
    'The message says who was asked. Give a timeout to wait for it to be registered.',
  ),
  ERR_LIMIT: row('later', 'A limit of this runtime was reached.', 'The message names the limit.'),
  ERR_LOCK_NOT_HELD: row(
    'never',
    'A lock was released, or a condition used, by one who does not hold it.',
    'Release what you acquired, once.',
  ),
  ERR_CHANNEL_CLOSED: row('never', 'The channel has been closed.', 'Locate it again if its owner made another.'),
  ERR_SERVICE_ARGUMENTS: row('never', 'A service was called with arguments that it does not take.', 'The message says what it takes.'),
  ERR_SERVICE_CLOSED: row('never', 'The service has been unregistered, or the reference to it closed.', 'Locate it again.'),
  ERR_PEERS_IGNORED: row('later', 'A runtime takes no new peers.', "Set its 'ignorePeers' to false."),
  ERR_DISCOVERY: row('later', 'Runtimes nearby cannot be looked for.', 'The message says what the system refused; give seeds instead.'),
  ERR_FILE_PATH: row(
    'never',
    'A path leads out of the directory for received files, or cannot be used there.',
    'Use a relative path without ...',
  ),
  ERR_FILE_REFUSED: row('never', 'The other side does not take the file.', 'The message says which limit or rule.'),
  ERR_FILE_SYSTEM: row('later', 'A file cannot be read or written.', 'The message has what the system said: space, permission, existence.'),
  ERR_FILE_CHANGED: row('later', 'A file changed while it was sent, or arrived damaged.', 'Send it again when it rests.'),
  ERR_WIRE_CLASS_UNKNOWN: row(
    'never',
    'An object of a class that the receiver has not registered arrived.',
    'Register the class on both sides under one name.',
  ),
  ERR_REQUEST_INVALID: row(
    'never',
    'What was asked of the other side, or told to it, is nothing that it takes; the message names the door, the method and the argument.',
    'Install the same version of flotilla on both.',
  ),
  ERR_REQUEST_UNKNOWN: row('never', 'The other side does not know the request.', 'Install the same version of flotilla on both.'),
  ERR_CODE_NOT_FOUND: row(
    'never',
    'The source of a function cannot be found: it is native, bound or wrapped.',
    'Pass the function itself, written in a module.',
  ),
  ERR_CODE_CAPTURES: row('never', 'A function uses a variable of the function around it, which cannot travel.', 'Pass it as an argument.'),
  ERR_CODE_SIDE_EFFECT: row(
    'never',
    "A function uses a top-level variable of the program's own file whose value is made by running code.",
    'Move it, with what makes it, to a module of its own and import that.',
  ),
  ERR_CODE_SYNTAX: row('never', 'A module cannot be parsed or transformed.', 'The message names file and line.'),
  ERR_CODE_UNRESOLVED: row('never', 'An import of shipped code cannot be resolved.', 'Install the package, or correct the path.'),
  ERR_CODE_PACKAGE_ABSENT: row(
    'elsewhere',
    'A package that cannot be shipped is not installed on the host.',
    'Install it on the host, where the daemon was started.',
  ),
  ERR_CODE_MISSING: row(
    'later',
    'A worker or host was asked for code that it does not have.',
    'The message says where it was lost; if it does not, this is a fault of Flotilla: please report it.',
  ),
  ERR_HOST_FOLDER: row(
    'later',
    'A folder was removed while it was in use: that of a client on a host, or the working directory of a program.',
    'Find out what tidies there; start the program in another folder, or the host with --dest on another.',
  ),
  ERR_HOST_START: row('later', 'A worker process could not be started.', 'The message has the last lines it printed.'),
  ERR_WORKER_LOST: row(
    'elsewhere',
    'The worker ended before the call was finished.',
    'The message says how it ended: memory, process.exit, a signal.',
  ),
  ERR_CALL_KILLS_WORKERS: row(
    'never',
    'A call ended its worker every time it was tried.',
    'Look at the function: out of memory, process.exit, a native crash.',
  ),
  ERR_CALL_NONE: row(
    'never',
    'A running call was asked for where none runs.',
    'Use current(), which is undefined there, or ask inside the function.',
  ),
  ERR_CALL_CANCELLED: row('never', 'The call was cancelled.', 'The cause is the reason.'),
  ERR_CODE_REFUSED: row(
    'elsewhere',
    'A host takes no code.',
    "Install the code there as a package and run it by client.module('PACKAGE'), or start the host without --only-registered.",
  ),
  ERR_FILE_UNKNOWN: row('never', 'A file was asked for that was not sent.', 'Send it with client.sendFile(), or as a component.'),
  ERR_HOST_UNKNOWN: row('never', 'A host or worker was named that this client does not have.', 'The message lists those it has.'),
  ERR_HOST_SET_UP: row('never', 'The set-up of a host or worker threw; it is not used.', 'The cause is what it threw.'),
  ERR_HOST_PROCESSES: row(
    'later',
    'A peer asked a host for more processes of its own, beside granted places, than it may have there.',
    'End one that is not needed, or have the host allow more.',
  ),
  ERR_HOST_TAKEN: row('later', 'The host belongs to another scheduler or client.', 'It is asked again when it is free.'),
  ERR_CLUSTER_CLOSED: row('later', 'The scheduler, or the last host, has closed this client.', 'The message says why; connect again.'),
  ERR_CONFIG_FILE: row('never', 'A file of options cannot be used.', 'The message says what is wrong in it.'),
  ERR_CLUSTER_NO_WORKERS: row('later', 'No worker was granted in time.', "Start hosts with 'flotilla host', or ask for fewer."),
  ERR_CLUSTER_STALE_GRANT: row(
    'elsewhere',
    'A worker has been granted to another client since.',
    'The scheduler sends the new grant by itself.',
  ),
  ERR_CLUSTER_NO_SCHEDULER: row(
    'later',
    'No scheduler answers at the address.',
    "Start one with 'flotilla scheduler', or correct FLOTILLA_SCHEDULER.",
  ),
} as const satisfies Record<string, Row>;

/** The code of a failure, as in {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * The class of every failure that Flotilla itself raises. Errors of user code keep their own name.
 *
 * `code` is stable, so it is the property to test; `retry` says whether trying again can help. ER1
 *
 * @example
 * ```ts
 * const error = new FlotillaError('ERR_TIMEOUT', 'No answer within 5 s.');
 * console.log(error.code, error.retry); // => ERR_TIMEOUT later
 * ```
 */
export class FlotillaError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; details?: Record<string, unknown> }) {
    super(message, options && 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    Object.defineProperty(this, 'name', { value: 'FlotillaError', enumerable: false, configurable: true });
    if (options?.details) Object.assign(this, options.details);
  }

  get retry(): Retry {
    return ERRORS[this.code]?.retry ?? 'never';
  }
}

/**
 * Whether a value is an error with this code, or with any of ours, whatever copy of the class made it. ER2
 *
 * @example
 * ```ts
 * console.log(hasCode(new FlotillaError('ERR_CLOSED', 'closed'), 'ERR_CLOSED')); // => true
 * console.log(hasCode(new TypeError('no'))); // => false
 * ```
 */
export function hasCode<C extends ErrorCode = ErrorCode>(error: unknown, code?: C): error is Error & { code: C } {
  if (!(error instanceof Error)) return false;
  const its = 'code' in error ? error.code : undefined;
  return code === undefined ? typeof its === 'string' && Object.hasOwn(ERRORS, its) : its === code;
}

/** The code that an error has, whoever made it; an empty text if it has none. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Gives a thrown value as an error: a value that is none becomes the cause of one. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(`a value was thrown that is not an error: ${String(thrown)}`, { cause: thrown });
}

/** Throws if a law of this code does not hold, which is a fault of Flotilla, never of the user. */
export function invariant(holds: unknown, law: string): asserts holds {
  if (!holds) throw new Error(`law broken: ${law}`);
}

/** Gives the table as the text of docs/errors.md. */
export function formatErrorTable(): string {
  const lines = Object.entries(ERRORS).map(([code, r]) => `| \`${code}\` | ${r.retry} | ${r.means} | ${r.advice} |`);
  return [
    '# Errors',
    '',
    'Every failure that Flotilla raises has a `code`. Test the code, not the class or the message: `hasCode(error, code)`;',
    '`hasCode(error)` tells whether it is one of these. *Retry* says whether trying again can help: never, later, or elsewhere (on',
    'another worker or host).',
    '',
    '| code | retry | what it means | what to do |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}
