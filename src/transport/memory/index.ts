/* Links inside one process, for tests and simulation. */

export type { MemoryNetworkOptions } from './network.ts';
export { MemoryNetwork } from './network.ts';
