// A service by definition: each call is a task at the server, with typed arguments and result; what it throws arrives.
//
//   npx flotilla run examples/07-service.ts
import { Runtime, service, type Task } from 'flotilla';
import { startOther } from './support/other.ts';

const divide = service('divide', async (_self: Task<never>, a: number, b: number) => {
  if (b === 0) throw new RangeError('division by zero');
  return a / b;
});

if (process.argv[2] === 'server') {
  const runtime = await Runtime.start({ name: 'server', listen: 'tcp://127.0.0.1:0' });
  runtime.serve(divide);
  console.log(runtime.location);
} else {
  using server = await startOther(import.meta.url, 'server');
  await using runtime = await Runtime.start({ name: 'client', seeds: [server.line] });
  await using calculator = await runtime.locate(divide, { timeout: 10_000 });
  console.log(await calculator.call(84, 2));
  const task = await calculator.spawn(1, 4); // a task of the server: it can be watched, sent to and ended
  console.log(await task.result);
  await calculator.call(1, 0).catch((error: Error) => console.log(`${error.name}: ${error.message}`));
}
// prints: 42
// prints: 0.25
// prints: RangeError: division by zero
