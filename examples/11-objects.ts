// Objects of a class travel both ways, as messages and results, with their methods. (dispycos_client3)
//
//   npx flotilla run examples/11-objects.ts
import { Client, type Task, type TaskRef } from 'flotilla';
import { Rectangle } from './factor/shape.ts';

async function grower(self: Task<Rectangle>, back: TaskRef<Rectangle>): Promise<number> {
  let area = 0;
  for await (const shape of self) {
    const grown = shape.grow(1); // a method of the class, on the worker
    area += grown.area;
    await back.deliver(grown);
  }
  return area;
}

await using client = await Client.connect({ workers: 1, components: [Rectangle] });
const reader = client.runtime.spawn(async (self: Task<Rectangle>) => {
  for await (const shape of self)
    console.log(`${shape instanceof Rectangle ? 'a Rectangle' : 'plain data'} of ${shape.width} x ${shape.height}`);
});
const task = await client.spawn(grower, reader);
for (const shape of [new Rectangle(1, 2), new Rectangle(3, 4)]) task.send(shape);
task.close();
console.log(`area of all: ${await task.result}`);
reader.close();
await reader.result;
// prints: a Rectangle of 2 x 3
// prints: a Rectangle of 4 x 5
// prints: area of all: 26
