import { readFile } from "node:fs/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { ConsumerInfo } from "@nats-io/jetstream";
import { connect, headers as messageHeaders } from "@nats-io/transport-node";
import { eventually } from "../eventually.ts";
import type { SampleMessage } from "./sample-messages.ts";

/** A server to test against, made by `.ci/with-nats`; undefined where there is none. */
export const natsAddress = process.env["ISOCHRON_TEST_NATS"];

/** A stream of its own on the server, with what a test asks of it. Each step has a connection of its own. */
export class TestStream {
  readonly name: string;
  readonly #address: string;

  constructor(address: string, name: string) {
    this.#address = address;
    this.name = name;
  }

  async make(): Promise<void> {
    await this.#with(async ({ manager }) => {
      await manager.streams.add({ name: this.name, subjects: [`${this.name}.>`] });
    });
  }

  /** Settles once the stream holds every message. */
  async send(messages: readonly SampleMessage[]): Promise<void> {
    await this.#with(async ({ stream }) => {
      for (const { headers, body } of messages) {
        const named = messageHeaders();
        for (const [name, value] of Object.entries(headers)) named.set(name, value);
        await stream.publish(`${this.name}.events`, body, { headers: named });
      }
    });
  }

  async purge(): Promise<void> {
    await this.#with(({ manager }) => manager.streams.purge(this.name));
  }

  async consumer(name = "isochron"): Promise<ConsumerInfo> {
    return this.#with(({ manager }) => manager.consumers.info(this.name, name));
  }

  /** Every message was acknowledged. */
  async drained(): Promise<void> {
    await eventually(
      "every message is acknowledged",
      async () => {
        const info = await this.consumer();
        return info.num_pending === 0 && info.num_ack_pending === 0;
      },
      { withinMs: 60_000, everyMs: 100 },
    );
  }

  async remove(): Promise<void> {
    await this.#with(({ manager }) => manager.streams.delete(this.name));
  }

  async #with<T>(
    work: (client: {
      manager: Awaited<ReturnType<typeof jetstreamManager>>;
      stream: ReturnType<typeof jetstream>;
    }) => Promise<T>,
  ): Promise<T> {
    const connection = await connect({ servers: new URL(this.#address).host, reconnect: false });
    try {
      return await work({ manager: await jetstreamManager(connection), stream: jetstream(connection) });
    } finally {
      await connection.close();
    }
  }
}

/** Kills the server with -9; it is started again by itself over the same data. */
export async function killNats(): Promise<void> {
  const file = process.env["ISOCHRON_TEST_NATS_PID"];
  if (file === undefined) throw new Error("ISOCHRON_TEST_NATS_PID is not set");
  const before = (await readFile(file, "utf8")).trim();
  process.kill(Number(before), "SIGKILL");
  await eventually(
    "the server is started again",
    async () => (await readFile(file, "utf8")).trim() !== before,
  );
  await eventually("the server answers", async () => {
    try {
      await (await connect({ servers: new URL(natsAddress ?? "").host, reconnect: false })).close();
      return true;
    } catch {
      return false;
    }
  });
}
