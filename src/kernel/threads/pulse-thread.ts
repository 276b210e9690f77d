// The thread that answers for a client whose own thread computes: it says to every peer that the process lives.
import { parentPort, workerData } from 'node:worker_threads';
import { type Dial, dialAndGreet, Identity, Keyring, Link, parseAddress, type Role, systemNetwork } from '../../transport/index.ts';
import { KIND } from '../../wire/index.ts';
import { realClock, realRandom } from '../environment.ts';
import { controlFrame } from '../sessions/session.ts';

const {
  identity: privateKey,
  role,
  secret,
  pulseMs,
  encrypt,
  certificate: given,
  beat,
} = workerData as {
  identity: Uint8Array;
  role: Role;
  secret: Uint8Array;
  pulseMs: number;
  encrypt: 'auto' | 'always';
  certificate: { cert: Uint8Array; key: Uint8Array; ca: Uint8Array } | undefined;
  beat: Int32Array;
};
const keys = new Keyring(secret);
const certificate = given && { cert: Buffer.from(given.cert), key: Buffer.from(given.key), ca: Buffer.from(given.ca) };
const identity = new Identity(privateKey);
const links = new Map<string, Link | 'dialling'>();
const DIAL_MS = 3_000;
let lastBeat = 0;
let still = 0;

async function dial(address: string): Promise<void> {
  links.set(address, 'dialling');
  try {
    const self = { identity, role, keys, clock: realClock, random: realRandom };
    const dial: Dial = ({ psk }, exposed) =>
      systemNetwork.dial(parseAddress(address), { timeoutMs: DIAL_MS, psk, encrypt: exposed ? 'always' : encrypt, certificate });
    const { greeted, conn } = await dialAndGreet(dial, self, { purpose: 'pulse' });
    const link = new Link(conn, greeted);
    link.start({ frame() {}, alive() {}, drain() {}, closed: () => links.delete(address) });
    links.set(address, link);
  } catch {
    links.delete(address);
  }
}

const wanted = new Set<string>();
parentPort?.on('message', (address: string) => {
  wanted.add(address);
  if (!links.has(address)) void dial(address);
});

setInterval(() => {
  const now = Atomics.load(beat, 0);
  still = now === lastBeat ? still + 1 : 0;
  lastBeat = now;
  const frame = controlFrame(KIND.PULSE, Uint8Array.of(still > 1 ? 1 : 0));
  for (const address of wanted) {
    const link = links.get(address);
    if (link instanceof Link) link.write(frame);
    else if (link === undefined && still === 0) wanted.delete(address);
  }
}, pulseMs);
