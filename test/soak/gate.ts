// A relay of bytes on loopback, whose links can be cut, and held up.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before one port of one process. */
export class Gate {
  readonly address: string;
  readonly #port: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #waiting: Socket[] = [];
  #target: number | undefined;
  #frozen = false;

  private constructor(server: Server) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.address = `127.0.0.1:${this.#port}`;
    this.#accept(server);
  }

  static async open(): Promise<Gate> {
    return new Gate(await listen(0));
  }

  /** Where links lead from now on. Those that came before wait for it. */
  async lead(port: number): Promise<void> {
    this.#target = port;
    if (!this.#server) this.#accept((this.#server = await listen(this.#port)));
    this.#join();
  }

  /** What was behind it has died: its links break, and nothing listens here any more, until {@link lead}. */
  async lose(): Promise<void> {
    this.#target = undefined;
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#waiting.splice(0)) socket.resetAndDestroy();
    this.cut(true);
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Ends every link; with `reset` as a machine does that knows nothing of them. Returns how many there were. */
  cut(reset: boolean): number {
    const links = [...this.#pairs];
    for (const pair of links) for (const socket of pair) reset ? socket.resetAndDestroy() : socket.destroy();
    this.#pairs.clear();
    return links.length;
  }

  /** Nothing passes, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
    this.#join();
  }

  #accept(server: Server): void {
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      this.#waiting.push(socket.pause());
      this.#join();
    });
  }

  #join(): void {
    const target = this.#target;
    if (this.#frozen || target === undefined) return;
    for (const near of this.#waiting.splice(0))
      this.#pair(near, connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
  }

  #pair(near: Socket, far: Socket): void {
    near.setNoDelay(true);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => {
        if (!this.#frozen) from.resume();
      });
      from.on('end', () => to.end());
      from.on('error', () => {});
      from.on('close', (failed) => {
        this.#pairs.delete(pair);
        if (failed) to.resetAndDestroy();
        else to.end();
      });
    }
    near.resume();
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
