// A client of the soak: a process of its own, which connects, does its jobs, checks all that comes back, and goes away.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'flotilla';
import { Choice } from './choice.ts';
import {
  type Context,
  cancelled,
  describe,
  files,
  filesBack,
  generator,
  type Job,
  longTalk,
  map,
  messages,
  Printed,
  printing,
  thrown,
  values,
} from './jobs/index.ts';
import type { ClientPlan, Excuse, Order, Told } from './protocol.ts';

const JOBS = { map, messages, printing, values, generator, files, filesBack, cancelled, thrown };
const WEIGHTS = { map: 5, messages: 4, printing: 4, values: 2, generator: 2, files: 2, filesBack: 1, cancelled: 1, thrown: 1 };
const CONNECT_MS = 120_000;
const plan = JSON.parse(process.argv[2] as string) as ClientPlan;
const tell = (told: Told): void => void process.send?.(told);

let finishing = false;
const clients = new Set<Client>();
const workers = new Set<number>();
const stages = new Map<string, string>();

async function connect(name: string, printed: Printed): Promise<Client | undefined> {
  const started = Date.now();
  try {
    const client = await Client.connect({
      name,
      pulse: 1_000,
      output: printed.line,
      warn: (text) => tell({ kind: 'warned', text: `${name}: ${text}` }),
      ...(plan.local ? { scheduler: 'local', workers: 1 } : { timeout: CONNECT_MS }),
    });
    tell({ kind: 'connected', client: name, ms: Date.now() - started });
    return client;
  } catch (error) {
    tell({ kind: 'broken', text: `${name} could not connect: ${describe(error)}`, excuse: undefined });
    return undefined;
  }
}

async function perform(context: Context): Promise<void> {
  const { choice, name } = context;
  if (plan.plant) await printing(context);
  for (let left = plan.jobs; left !== 0 && !finishing; left--) {
    const kind = choice.weighted(WEIGHTS);
    tell({ kind: 'begins', client: name, job: kind });
    const job: Job = JOBS[kind];
    await job(context).catch((error: unknown) => context.broken(`the job '${kind}' failed: ${describe(error)}`));
  }
}

async function live(name: string, seed: number): Promise<void> {
  const broken = (text: string, excuse?: Excuse): void => tell({ kind: 'broken', text: `${name}: ${text}`, excuse });
  const printed = new Printed(broken, ({ worker, text }) => tell({ kind: 'warned', text: `${name} [${worker}] ${text}` }));
  if (plan.plant === 'dropped-line') printed.drop = 1;
  const client = await connect(name, printed);
  if (!client) return;
  clients.add(client);
  const folder = join(plan.folder, name);
  mkdirSync(folder, { recursive: true });
  const context: Context = {
    client,
    name,
    choice: new Choice(seed),
    folder,
    printed,
    broken,
    checked: (what, count) => count > 0 && tell({ kind: 'checked', what, count }),
    stage: (text) => void stages.set(name, text),
    kills: (pid) => tell({ kind: 'kills', pid }),
    worker(pid) {
      if (!workers.has(pid)) tell({ kind: 'worker', pid });
      workers.add(pid);
    },
  };
  const talking = plan.jobs < 0 ? longTalk(context, () => finishing) : undefined;
  await perform(context);
  await talking;
  if (plan.end === 'stay') await new Promise(() => setInterval(() => {}, 1_000));
  if (plan.end === 'exit') return;
  await client.close({ terminate: plan.end === 'terminate' });
  clients.delete(client);
  printed.check(context.checked);
}

process.on('message', (order: Order) => {
  if (order === 'finish') finishing = true;
  if (order === 'explain')
    for (const client of clients)
      tell({ kind: 'explained', text: JSON.stringify([client.explain(), client.workers(), client.hosts(), [...stages]]) });
  if (order === 'go') void begin();
});
process.channel?.ref(); // until the end: then it must end of itself
tell({ kind: 'ready' });

async function begin(): Promise<void> {
  const names = Array.from({ length: plan.twins }, (_, i) => (plan.twins === 1 ? plan.name : `${plan.name}.${i + 1}`));
  await Promise.all(names.map((name, i) => live(name, plan.seed + i)));
  await new Promise<void>((resolve) => process.send?.({ kind: 'done' } satisfies Told, () => resolve()));
  if (plan.end === 'exit') process.exit(0);
  process.channel?.unref();
}
