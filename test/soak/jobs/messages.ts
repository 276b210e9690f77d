// Messages to a task on a worker and back: each once, in order, also when the task is lost with its worker.
import type { Task } from 'flotilla';
import { type Answer, type Message, talk } from '../work.ts';
import { type Context, describe, type Job, nextNumber } from './context.ts';

interface Talk {
  readonly total: number;
  readonly every: number;
  readonly ms: number;
  readonly bytes: number;
  readonly deliver: boolean;
  readonly io: number | undefined;
  /** Milliseconds between messages. */
  readonly pace: number;
  readonly stopped: () => boolean;
}

async function talkOnce({ client, checked, broken, worker, stage }: Context, plan: Talk): Promise<void> {
  const since = Date.now();
  const { total, every } = plan;
  let pid: number | undefined;
  let answers = 0;
  const listener = client.runtime.spawn(async (self: Task<Answer>) => {
    for await (const answer of self) {
      pid = answer.pid;
      if (answer.kind === 'born') {
        worker(answer.pid);
        continue;
      }
      const due = answers * every;
      if (answer.n !== due) broken(`the answer to message ${answer.n} came where that to ${due} was due`);
      if (++answers % 50 === 0) checked('answers', 50);
    }
  });
  const excuse = (): { pids: number[] } | { killsSince: number } => (pid === undefined ? { killsSince: since } : { pids: [pid] });
  let sent = 0;
  try {
    const task = await client.with(plan.io === undefined ? {} : { io: plan.io }).spawn(talk, listener, plan.ms);
    try {
      for (; sent < total && !plan.stopped(); sent++) {
        const message: Message = { kind: 'number', n: sent, answer: sent % every === 0, bulk: new Uint8Array(plan.bytes) };
        if (plan.deliver && sent % 20 === 0) {
          stage(`the delivery of message ${sent}`);
          await task.deliver(message);
        } else if (!task.send(message)) {
          stage(`room after message ${sent}`);
          await task.room();
        }
        if (plan.pace > 0) await new Promise((resolve) => setTimeout(resolve, plan.pace));
      }
    } catch (error) {
      broken(`message ${sent} could not be sent: ${describe(error)}`, excuse());
    }
    task.close();
    stage(`the end of a task that was closed after ${sent} messages; ${answers} answers came`);
    const end = await task.ended;
    if (end.kind !== 'returned') return broken(`a task ended as ${end.kind} (${'error' in end ? describe(end.error) : ''})`, excuse());
    const { taken, wrong } = end.value;
    if (wrong) broken(`at a task, ${wrong}`);
    if (taken !== sent) broken(`${sent} messages were sent to a task, and it took ${taken}`);
    checked('messages', taken);
    const due = Math.ceil(sent / every);
    for (const last = Date.now() + 20_000; answers < due && Date.now() < last; ) await new Promise((resolve) => setTimeout(resolve, 20));
    if (answers !== due) broken(`a task gave ${due} answers, and ${answers} came`, excuse());
  } catch (error) {
    broken(`a task could not be started: ${describe(error)}`, { killsSince: since });
  } finally {
    listener.terminate();
  }
}

export const messages: Job = (context) => {
  const { choice } = context;
  return talkOnce(context, {
    total: choice.between(1, 4_000),
    every: choice.one([1, 3, 50]),
    ms: choice.one([0, 0, 1]),
    bytes: choice.one([0, 0, 200, 10_000]),
    deliver: choice.chance(0.5),
    io: choice.one([undefined, 4]),
    pace: 0,
    stopped: () => false,
  });
};

/** A task that lives as long as nobody kills it, and hears something all the time. */
export async function longTalk(context: Context, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    nextNumber();
    await talkOnce(context, {
      total: Number.POSITIVE_INFINITY,
      every: 1,
      ms: 0,
      bytes: 10,
      deliver: true,
      io: 2,
      pace: 20,
      stopped,
    });
  }
}
