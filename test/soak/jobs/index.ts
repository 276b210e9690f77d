// The jobs of clients.
export type { Context, Job } from './context.ts';
export { describe } from './context.ts';
export { files, filesBack } from './files.ts';
export { generator } from './generator.ts';
export { map } from './map.ts';
export { longTalk, messages } from './messages.ts';
export { Printed, printing } from './printed.ts';
export { cancelled, thrown, values } from './values.ts';
