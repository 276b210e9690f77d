// Runtimes on simulated machines that know each other.
import type { Runtime, RuntimeOptions, TaskRef } from '../../src/kernel/index.ts';
import { World } from '../../src/testing/index.ts';

/** A world with machines `a`, `b`, ... each with a runtime of that name; all but the first have dialled the first. */
export async function machines(
  count: number,
  options: { seed?: number; runtime?: RuntimeOptions } = {},
): Promise<{ world: World; runtimes: Runtime[] }> {
  const world = new World({ seed: options.seed ?? 1, latencyMs: 1 });
  const runtimes: Runtime[] = [];
  for (let i = 0; i < count; i++) {
    const name = String.fromCharCode(97 + i);
    runtimes.push(await world.start(name, { listen: `mem://${name}:1`, ...options.runtime }));
    if (i > 0) await world.wait(runtimes[i]!.connect('mem://a:1'));
  }
  return { world, runtimes };
}

/** A reference to a task of one runtime, as another holds it. */
export function refIn<M, R>(holder: Runtime, owner: Runtime, task: TaskRef<M, R>): TaskRef<M, R> {
  const { code, payload } = owner.kernel.references.replace(task)!;
  return holder.kernel.references.revive(code, payload, undefined) as TaskRef<M, R>;
}
