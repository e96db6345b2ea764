import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP relay in front of a broker that can keep back what the client sends, such as acknowledgements. */
export class HoldingProxy {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #held: (() => void)[] | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a loopback port of its own, in front of the broker at `address`. */
  static async open(address: string): Promise<HoldingProxy> {
    const { hostname, port } = new URL(address);
    const server = createServer();
    const proxy = new HoldingProxy(server);
    server.on("connection", (client) => proxy.#relay(client, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** The broker's address, by way of this relay. */
  addressFor(address: string): string {
    const url = new URL(address);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** From now on the broker hears nothing more from its clients. */
  hold(): void {
    this.#held ??= [];
  }

  /** Hands on what was kept back; what a client that is gone has said is forgotten with it. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of held) send();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket, broker: Socket): void {
    this.#clients.add(client);
    client.on("data", (bytes) => {
      if (this.#held === undefined) broker.write(bytes);
      else this.#held.push(() => broker.writable && broker.write(bytes));
    });
    broker.on("data", (bytes) => client.write(bytes));
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => {
        this.#clients.delete(client);
        other.destroy();
      });
    }
  }
}
