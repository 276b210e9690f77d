// Reads frames from peers, one item at a time, and does what each says.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import { type Decoder, KIND } from '../../wire/index.ts';
import { RUNTIME } from '../protocol.ts';
import { taskEnded } from '../tasks/ends.ts';
import type { TaskTable } from '../tasks/table.ts';
import { FIRST_TASK } from './door.ts';
import type { Doors } from './doors.ts';
import type { Post } from './post.ts';

/** The parts of a kernel that frames are for. */
export interface Addressed extends Post {
  readonly doors: Doors;
  readonly tasks: Pick<TaskTable, 'take' | 'get' | 'passedOver'>;
}

/** Reads one item of a frame and does what it says. Throws ERR_WIRE_*. */
export function takeItem(to: Addressed, peer: RuntimeId, kind: number, target: number, decoder: Decoder): void {
  switch (kind) {
    case KIND.MESSAGE: {
      const before = decoder.position;
      const value = orPass(to, peer, target, decoder);
      if (target < FIRST_TASK) to.doors.message(peer, target, value, decoder.position - before);
      else put(to, target, value, peer, decoder.position - before, 0);
      return;
    }
    case KIND.FAN_OUT: {
      const hops = decoder.varint();
      const targets = Array.from({ length: decoder.count() }, () => decoder.varint());
      const bytes = decoder.varint();
      const value = orPassAll(to, peer, targets, bytes, () => decoder.nested(bytes));
      for (const one of targets) put(to, one, value, peer, bytes, hops);
      return;
    }
    case KIND.DELIVER: {
      const before = decoder.position;
      const id = decoder.varint();
      const value = orAnswer(to, peer, id, () => orPass(to, peer, target, decoder, before));
      const taken = to.tasks.take(target, value, peer, decoder.position - before);
      to.answer(peer, id, taken, taken ? undefined : taskEnded()); // KE1
      return;
    }
    case KIND.REQUEST: {
      const id = decoder.number();
      const method = decoder.value();
      const args = orAnswer(to, peer, id, () => decoder.value());
      to.doors.request(peer, target, id, method, args); // KE1
      return;
    }
    case KIND.ANSWER: {
      const id = decoder.number();
      const ok = decoder.value() === true;
      try {
        to.requests.answered(id, ok, decoder.value());
      } catch (error) {
        to.requests.answered(id, false, error);
        throw error;
      }
      return;
    }
    case KIND.CLOSE:
      decoder.value();
      to.tasks.get(target)?.close();
      return;
    case KIND.CREDIT: {
      const number = decoder.number();
      const messages = decoder.number();
      to.windows.returned(peer, number, messages, decoder.number());
      return;
    }
    default:
      throw new FlotillaError('ERR_WIRE_MALFORMED', `Frames of kind ${kind} mean nothing here.`);
  }
}

// Reads a message. One that cannot be read is counted as taken, else its sender's window would stay smaller for ever.
function orPass(to: Addressed, peer: RuntimeId, target: number, decoder: Decoder, before = decoder.position): unknown {
  try {
    return decoder.value();
  } catch (error) {
    to.tasks.passedOver(peer, target, decoder.position - before);
    throw error;
  }
}

function orPassAll(to: Addressed, peer: RuntimeId, targets: readonly number[], bytes: number, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    for (const target of targets) to.tasks.passedOver(peer, target, bytes);
    throw error;
  }
}

// Reads a value that an asker waits for. If it cannot be read, the asker is told so, else it would wait for ever.
function orAnswer<T>(to: Addressed, peer: RuntimeId, id: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    to.answer(peer, id, false, error);
    throw error;
  }
}

function put(to: Addressed, target: number, value: unknown, peer: RuntimeId, bytes: number, hops: number): void {
  if (!to.tasks.take(target, value, peer, bytes, hops)) to.message(peer, RUNTIME, { kind: 'ended', task: target });
}
