// Doors, proved in both directions: what must compile does, and what must not does not. Nothing here runs.
import { test } from 'node:test';
import { flag, optional, type RuntimeId, runtimeId, string, whole } from '../../src/base/index.ts';
import { SCHEDULER } from '../../src/cluster/protocol.ts';
import { HOST, TENANT } from '../../src/host/index.ts';
import { door, type Runtime } from '../../src/kernel/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <T extends true>(): T => true as T;

interface KitchenDoor {
  cook(dish: string, plates: number): string;
  leave(who?: RuntimeId): void;
}
type KitchenHears = { readonly kind: 'salted'; readonly much: boolean } | { readonly kind: 'done' };

declare const runtime: Runtime;
declare const peer: RuntimeId;

export function defines() {
  // @ts-expect-error a method without what its arguments must be
  door<KitchenDoor>('kitchen', 60, { cook: [string, whole(1, 4)] });
  // @ts-expect-error an argument of another kind than its type
  door<KitchenDoor>('kitchen', 60, { cook: [string, string], leave: [optional(runtimeId)] });
  // @ts-expect-error an argument without its kind
  door<KitchenDoor>('kitchen', 60, { cook: [string], leave: [optional(runtimeId)] });
  // @ts-expect-error a notice without its kinds
  door<object, KitchenHears>('kitchen', 60, {}, { done: {} });
  // @ts-expect-error a field of another kind than its type
  door<object, KitchenHears>('kitchen', 60, {}, { salted: { much: string }, done: {} });
  return door<KitchenDoor, KitchenHears>(
    'kitchen',
    60,
    { cook: [string, whole(1, 4)], leave: [optional(runtimeId)] },
    { salted: { much: flag }, done: {} },
  );
}

export async function asks(): Promise<void> {
  const { kernel } = runtime;
  const kitchen = defines();
  const dish = await kernel.at(peer, kitchen, { timeout: 1_000 }).cook('soup', 2);
  is<Equal<typeof dish, string>>();
  const agreed = await kernel.at(peer, HOST).attach(2_000);
  is<Equal<typeof agreed.tenancy, number>>();
  kernel.message(peer, kitchen, { kind: 'salted', much: true });
  // @ts-expect-error a method that the door does not have
  kernel.at(peer, HOST).attatch(2_000);
  // @ts-expect-error an argument of the wrong type
  kernel.at(peer, HOST).attach('2 s');
  // @ts-expect-error an argument too few
  kernel.at(peer, kitchen).cook('soup');
  // @ts-expect-error a notice that is not told there
  kernel.message(peer, kitchen, { kind: 'burnt' });
  // @ts-expect-error a notice of another door
  kernel.message(peer, TENANT, { kind: 'free' });
  // @ts-expect-error a notice without a field
  kernel.message(peer, SCHEDULER, { kind: 'report', slots: [] });
}

export function answers(): void {
  const { kernel } = runtime;
  const kitchen = defines();
  kernel.serve(
    kitchen,
    { cook: async (_asked, dish, plates) => `${plates.toFixed()} of ${dish.trim()}`, leave: () => {} },
    { message: (_peer, notice) => notice.kind === 'salted' && notice.much },
  );
  // @ts-expect-error a method that nobody answers
  kernel.serve(kitchen, { leave: () => {} });
  // @ts-expect-error an answer of another type
  kernel.serve(kitchen, { cook: () => 1, leave: () => {} });
  // @ts-expect-error a method that nobody can ask
  kernel.serve(kitchen, { cook: () => '', leave: () => {}, eat: () => {} });
  // @ts-expect-error an argument of another type than is asked with
  kernel.serve(kitchen, { cook: (_asked, dish: number) => String(dish), leave: () => {} });
}

test('the types of doors hold', () => {});
