/* Links inside one process, for tests and simulation. */
export { MemoryNetwork } from './network.ts';
export type { MemoryNetworkOptions } from './network.ts';
