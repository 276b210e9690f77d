// What frames from peers mean: one item at a time.
import { FlotillaError, type RuntimeId } from '../../base/index.ts';
import { type Decoder, KIND } from '../../wire/index.ts';
import { RUNTIME } from '../protocol.ts';
import { taskEnded } from '../tasks/ends.ts';
import { FIRST_TASK } from './door.ts';
import type { Kernel } from './kernel.ts';

/** Reads one item of a frame and does what it says. Throws ERR_WIRE_*. */
export function takeItem(kernel: Kernel, peer: RuntimeId, kind: number, target: number, decoder: Decoder): void {
  switch (kind) {
    case KIND.MESSAGE: {
      const before = decoder.position;
      const value = orPass(kernel, peer, target, decoder);
      if (target < FIRST_TASK) kernel.doors.message(peer, target, value, decoder.position - before);
      else put(kernel, target, value, peer, decoder.position - before, 0);
      return;
    }
    case KIND.FAN_OUT: {
      const hops = decoder.varint();
      const targets = Array.from({ length: decoder.count() }, () => decoder.varint());
      const bytes = decoder.varint();
      const value = orPassAll(kernel, peer, targets, bytes, () => decoder.nested(bytes));
      for (const one of targets) put(kernel, one, value, peer, bytes, hops);
      return;
    }
    case KIND.DELIVER: {
      const before = decoder.position;
      const id = decoder.varint();
      const value = orAnswer(kernel, peer, id, () => orPass(kernel, peer, target, decoder, before));
      const taken = kernel.tasks.take(target, value, peer, decoder.position - before);
      kernel.answer(peer, id, taken, taken ? undefined : taskEnded()); // KE1
      return;
    }
    case KIND.REQUEST: {
      const id = decoder.number();
      const method = decoder.value();
      const args = orAnswer(kernel, peer, id, () => decoder.value());
      kernel.doors.request(peer, target, id, method, args); // KE1
      return;
    }
    case KIND.ANSWER: {
      const id = decoder.number();
      const ok = decoder.value() === true;
      try {
        kernel.requests.answered(id, ok, decoder.value());
      } catch (error) {
        kernel.requests.answered(id, false, error);
        throw error;
      }
      return;
    }
    case KIND.CLOSE:
      decoder.value();
      kernel.tasks.get(target)?.close();
      return;
    case KIND.CREDIT: {
      const number = decoder.number();
      const messages = decoder.number();
      kernel.windows.returned(peer, number, messages, decoder.number());
      return;
    }
    default:
      throw new FlotillaError('ERR_WIRE_MALFORMED', `Frames of kind ${kind} mean nothing here.`);
  }
}

// A message that cannot be read takes no room of its sender's.
function orPass(kernel: Kernel, peer: RuntimeId, target: number, decoder: Decoder, before = decoder.position): unknown {
  try {
    return decoder.value();
  } catch (error) {
    kernel.tasks.passedOver(peer, target, decoder.position - before);
    throw error;
  }
}

function orPassAll(kernel: Kernel, peer: RuntimeId, targets: readonly number[], bytes: number, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    for (const target of targets) kernel.tasks.passedOver(peer, target, bytes);
    throw error;
  }
}

// What cannot be read is told to the one who waits for it.
function orAnswer<T>(kernel: Kernel, peer: RuntimeId, id: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    kernel.answer(peer, id, false, error);
    throw error;
  }
}

function put(kernel: Kernel, target: number, value: unknown, peer: RuntimeId, bytes: number, hops: number): void {
  if (!kernel.tasks.take(target, value, peer, bytes, hops)) kernel.message(peer, RUNTIME, { kind: 'ended', task: target });
}
