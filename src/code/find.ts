// Finds where a function is written: its script and position, from the engine itself. A function's own text does not tell them.
//
//   FI1. The inspector is enabled only inside one synchronous look-up, never while user code runs.
//   FI2. The module that holds a function is never imported to find it.
import { Session } from 'node:inspector';
import { FlotillaError } from '../base/index.ts';

const KEY = '__flotilla_lookup';

/** A script as the engine sees it: after type stripping, tsx or a loader. */
export interface Script {
  readonly url: string;
  readonly source: string;
}

/** A function's script, and the offset in its source at which the function's parameters (or body) begin. */
export interface SourcePlace {
  readonly script: Script;
  readonly offset: number;
}

interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface InternalProperty {
  readonly name: string;
  readonly value?: { readonly value?: Location; readonly description?: string };
}

/** Finds functions; remembers scripts. */
export class FunctionFinder {
  readonly #scripts = new Map<string, Script>();

  /** Finds where a function is written. Throws ERR_CODE_NOT_FOUND for native, bound and proxied functions. FI2 */
  find(fn: ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown)): SourcePlace {
    const name = fn.name ? `'${fn.name}'` : 'the function';
    const session = new Session();
    const urls = new Map<string, string>();
    session.connect();
    try {
      Object.defineProperty(globalThis, KEY, { value: fn, configurable: true });
      session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
      const object = post<{ result: { objectId?: string } }>(session, 'Runtime.evaluate', {
        expression: KEY,
      });
      const { internalProperties = [] } = post<{ internalProperties?: InternalProperty[] }>(session, 'Runtime.getProperties', {
        objectId: object.result.objectId,
        ownProperties: true,
      });
      if (internalProperties.some((p) => p.name === '[[TargetFunction]]'))
        throw notFound(name, `is bound. Pass the function itself, and what it was bound to as an argument`);
      const location = internalProperties.find((p) => p.name === '[[FunctionLocation]]')?.value?.value;
      if (!location) throw notFound(name, 'is native, or behind a Proxy. Write a function that calls it');
      const script = this.#script(session, location.scriptId, urls);
      if (!script) throw notFound(name, 'was made by eval or new Function. Write it in a module');
      return { script, offset: offsetOf(script.source, location.lineNumber, location.columnNumber) };
    } finally {
      Reflect.deleteProperty(globalThis, KEY);
      session.disconnect(); // FI1
    }
  }

  #script(session: Session, scriptId: string, urls: Map<string, string>): Script | undefined {
    const known = this.#scripts.get(scriptId);
    if (known) return known;
    post(session, 'Debugger.enable', {});
    const url = urls.get(scriptId);
    const { scriptSource } = post<{ scriptSource: string }>(session, 'Debugger.getScriptSource', { scriptId });
    post(session, 'Debugger.disable', {});
    if (!url || (!url.startsWith('file:') && !url.startsWith('/'))) return undefined;
    const script: Script = { url: url.startsWith('/') ? new URL(`file://${url}`).href : url, source: scriptSource };
    this.#scripts.set(scriptId, script);
    return script;
  }
}

// The inspector of the same thread answers before post() returns.
function post<T>(session: Session, method: string, params: object): T {
  let answer: { error: Error | null; result: unknown } | undefined;
  session.post(method, params, (error: Error | null, result?: object) => {
    answer = { error, result };
  });
  if (!answer || answer.error) {
    throw new FlotillaError('ERR_CODE_NOT_FOUND', `The engine does not tell where a function is (${method}).`, { cause: answer?.error });
  }
  return answer.result as T;
}

function offsetOf(source: string, line: number, column: number): number {
  let offset = 0;
  for (let i = 0; i < line; i++) {
    const next = source.indexOf('\n', offset);
    if (next < 0) break;
    offset = next + 1;
  }
  return offset + column;
}

function notFound(name: string, why: string): FlotillaError {
  return new FlotillaError('ERR_CODE_NOT_FOUND', `${name} cannot be shipped: it ${why}.`);
}
