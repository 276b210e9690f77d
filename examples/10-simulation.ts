// A program with a bug that shows only when an answer is lost: a payment is sent again after a timeout, and booked twice.
// The simulation finds a seed for which it happens; the mended program passes them all.
//
//   npx flotilla run examples/10-simulation.ts
import { hasCode, service, type Task } from 'flotilla';
import { type SimulatedNetwork, simulate } from 'flotilla/testing';

const PAYMENTS = 10;

async function bank(network: SimulatedNetwork, careful: boolean): Promise<void> {
  let balance = 0;
  const booked = new Set<number>();
  const pay = service('pay', async (_self: Task<never>, id: number, amount: number) => {
    if (careful && booked.has(id)) return balance; // a payment has a number, and is booked once
    booked.add(id);
    return (balance += amount);
  });
  await network.machine('bank', { listen: 'mem://bank:1' }, (runtime) => void runtime.serve(pay));
  const customer = await network.machine('customer', { seeds: ['mem://bank:1'] });
  for (let id = 0; id < PAYMENTS; id++) {
    for (;;) {
      const teller = (await customer.locate(pay)).with({ timeout: 1_000 });
      const failure = await teller.call(id, 1).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) break;
      if (!hasCode(failure, 'ERR_TIMEOUT') && !hasCode(failure, 'ERR_SESSION_LOST')) throw failure; // unknown whether it happened: again
    }
    await network.sleep(500);
  }
  if (balance !== PAYMENTS) throw new Error(`paid ${PAYMENTS}, booked ${balance}`);
}

const faults = { partition: 0.02, oneWay: 0.03, cut: 0.05, longest: 2_000 };
const firstFailure = async (careful: boolean): Promise<string> => {
  for (let seed = 1; seed <= 50; seed++) {
    const failure = await simulate((network) => bank(network, careful), { seed, faults }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (failure) return failure;
  }
  return 'no failure in 50 seeds';
};
console.log(`with the bug: ${await firstFailure(false)}`);
console.log(`mended: ${await firstFailure(true)}`);
// prints: with the bug: seed ... paid 10, booked ...
// prints: mended: no failure in 50 seeds
