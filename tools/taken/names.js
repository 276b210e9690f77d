// What the code on a worker's user thread takes of the language and of Node.js before a program can replace it.

/** Methods by the class whose objects have them. */
export const METHODS = {
  Array: [
    'concat',
    'entries',
    'every',
    'fill',
    'filter',
    'find',
    'findIndex',
    'flatMap',
    'forEach',
    'includes',
    'indexOf',
    'join',
    'keys',
    'map',
    'pop',
    'push',
    'reduce',
    'reverse',
    'shift',
    'slice',
    'some',
    'sort',
    'splice',
    'unshift',
    'values',
  ],
  Map: ['clear', 'delete', 'entries', 'forEach', 'get', 'has', 'keys', 'set', 'values'],
  Set: ['add', 'clear', 'delete', 'entries', 'forEach', 'has', 'keys', 'values'],
  WeakMap: ['delete', 'get', 'has', 'set'],
  Promise: ['catch', 'finally', 'then'],
  RegExp: ['exec', 'test'],
};

/** Functions that stand alone. */
export const FUNCTIONS = [
  'clearInterval',
  'clearTimeout',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
];

/** Functions that belong to a namespace or class. */
export const STATICS = {
  Array: ['from', 'isArray'],
  ArrayBuffer: ['isView'],
  Atomics: ['add', 'load', 'notify', 'store', 'wait'],
  Buffer: ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'byteLength', 'concat', 'from', 'isBuffer'],
  Date: ['now'],
  JSON: ['parse', 'stringify'],
  Math: ['ceil', 'floor', 'max', 'min', 'round', 'trunc'],
  Number: ['isFinite', 'isInteger', 'isSafeInteger', 'parseInt'],
  Object: [
    'assign',
    'create',
    'defineProperty',
    'entries',
    'freeze',
    'fromEntries',
    'getOwnPropertyDescriptor',
    'getPrototypeOf',
    'hasOwn',
    'keys',
    'values',
  ],
  Promise: ['reject', 'resolve'],
  Reflect: ['apply', 'construct', 'get', 'has', 'ownKeys'],
  performance: ['now'],
  process: ['nextTick'],
};

/** Classes of which objects are made. */
export const CLASSES = ['Array', 'ArrayBuffer', 'DataView', 'Date', 'Error', 'Map', 'Promise', 'RegExp', 'Set', 'Uint8Array', 'WeakMap'];

/** The text of the module that takes all of it, when it is loaded. */
export function takingModule() {
  const lines = ['const { bind, call } = Function.prototype;', 'const own = (fn) => bind.call(call, fn);'];
  for (const name of FUNCTIONS) lines.push(`export const $${name} = globalThis.${name};`);
  for (const name of CLASSES) lines.push(`export const $${name} = globalThis.${name};`);
  for (const [holder, names] of Object.entries(STATICS))
    for (const name of names) lines.push(`export const $${holder}_${name} = globalThis.${holder}.${name}.bind(globalThis.${holder});`);
  for (const [holder, names] of Object.entries(METHODS))
    for (const name of names) lines.push(`export const $${holder}$${name} = own(globalThis.${holder}.prototype.${name});`);
  // The language fills a new map by its set(), and a new set by its add().
  lines.push(
    'export function $Map_of(pairs) { const made = new $Map(); if (pairs != null) for (const pair of pairs) $Map$set(made, pair[0], pair[1]); return made; }',
  );
  lines.push(
    'export function $Set_of(all) { const made = new $Set(); if (all != null) for (const one of all) $Set$add(made, one); return made; }',
  );
  return `${lines.join('\n')}\n`;
}
