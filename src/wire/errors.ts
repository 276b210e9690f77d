// Errors as they arrive: built-in errors keep their class, ours keep their code, all keep what they said.
import { FlotillaError } from '../base/index.ts';

const BUILT_IN: Readonly<Record<string, new (message: string) => Error>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** An error made again from its name, message and stack. Only built-in classes are made; others are named. */
export function reviveError(name: string, message: string, stack: string | undefined): Error {
  const BuiltIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  let error: Error;
  if (name === 'AggregateError') error = new AggregateError([], message);
  else if (name === 'FlotillaError')
    error = new FlotillaError('ERR_CLOSED', message); // its own code arrives as a property
  else if (BuiltIn) error = new BuiltIn(message);
  else {
    error = new Error(message);
    Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  }
  Object.defineProperty(error, 'stack', { value: stack ?? `${name}: ${message}`, writable: true, configurable: true });
  return error;
}
