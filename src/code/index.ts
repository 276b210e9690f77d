/* Functions that travel: found by position, sliced or taken with their module, stored by hash, imported on the worker. Start reading at library.ts. */
export { Library } from './library.ts';
export type { Loaded } from './load.ts';
export { classesOf, className, importFrom, load, loadUnit } from './load.ts';
export { packageName } from './resolve.ts';
export { installPackage, ownRoot, Store } from './store.ts';
export type { Shipped, Unit, UnitHead } from './unit.ts';
