/* The parts of tests of Flotilla, and of programs that use it: virtual time, a network in memory, the leak gate. */

export { MemoryNetwork } from '../transport/index.ts';
export { ManualClock } from './clock.ts';
export { MemoryDatagrams } from './datagrams.ts';
export { MemoryFiles } from './files.ts';
export { leakGate, openResources } from './leaks.ts';
export { seededBytes, seededRandom } from './random.ts';
export type { Faults, SimulatedNetwork, SimulateOptions, SimulationReport } from './simulate.ts';
export { simulate } from './simulate.ts';
export type { WorldOptions } from './world.ts';
export { World } from './world.ts';
