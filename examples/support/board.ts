// What agents say to each other, and the name of the board where they meet: shared by the program and its workers.
import { type TaskRef, taskName } from 'flotilla';

export type AgentMessage =
  | { readonly kind: 'met'; readonly others: readonly TaskRef<AgentMessage>[] }
  | { readonly kind: 'offer'; readonly from: string; readonly price: number };

export interface Arrival {
  readonly name: string;
  readonly agent: TaskRef<AgentMessage>;
}

export const board = taskName<Arrival>('board');
