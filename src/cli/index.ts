/* The command line: one file a verb, no logic. Start reading at main.ts. */
export { main } from './main.ts';
