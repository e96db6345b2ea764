import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ChannelModel, ConfirmChannel } from "amqplib";
import { connect } from "amqplib";
import { eventually } from "../eventually.ts";
import type { Notification } from "./recorded-notifications.ts";

const run = promisify(execFile);

/** A broker to test against, made by `.ci/with-rabbitmq`; undefined where there is none. */
export const rabbitmqAddress = process.env["ISOCHRON_TEST_AMQP"];

/** What `rabbitmqctl list_queues` says of a queue. */
export interface QueueState {
  readonly name: string;
  readonly durable: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly messages_ready: number;
  readonly messages_unacknowledged: number;
  readonly consumers: number;
}

/** Gives standard output of the broker's own command-line tool. */
export async function rabbitmqctl(...args: readonly string[]): Promise<string> {
  const program = process.env["ISOCHRON_TEST_RABBITMQCTL"];
  if (program === undefined) throw new Error("ISOCHRON_TEST_RABBITMQCTL is not set");
  const { stdout } = await run(program, ["-q", ...args]);
  return stdout;
}

/** The queues whose names begin with `prefix`. */
export async function queuesOf(prefix: string): Promise<readonly QueueState[]> {
  const columns = ["name", "durable", "arguments", "messages_ready", "messages_unacknowledged", "consumers"];
  const text = await rabbitmqctl("list_queues", "--formatter", "json", ...columns);
  const queues = JSON.parse(text) as (Omit<QueueState, "arguments"> & { arguments: unknown })[];
  return queues
    .filter((queue) => queue.name.startsWith(`${prefix}.`))
    .map((queue) => ({ ...queue, arguments: readArguments(queue.arguments) }));
}

/** As an object, or as a list of [name, type, value]: the tool's versions differ. */
function readArguments(given: unknown): Readonly<Record<string, unknown>> {
  if (!Array.isArray(given)) return given as Readonly<Record<string, unknown>>;
  return Object.fromEntries(given.map(([name, , value]: [string, string, unknown]) => [name, value]));
}

/** How many messages wait in the queues of `prefix`, and how many were handed out and not acknowledged. */
export async function backlogOf(prefix: string): Promise<{ ready: number; unacknowledged: number }> {
  const queues = await queuesOf(prefix);
  return {
    ready: queues.reduce((sum, queue) => sum + queue.messages_ready, 0),
    unacknowledged: queues.reduce((sum, queue) => sum + queue.messages_unacknowledged, 0),
  };
}

/** Every message of the queues of `prefix` was acknowledged. */
export async function drained(prefix: string): Promise<void> {
  await eventually(
    "every message is acknowledged",
    async () => {
      const { ready, unacknowledged } = await backlogOf(prefix);
      return ready + unacknowledged === 0;
    },
    { withinMs: 60_000, everyMs: 100 },
  );
}

/** Each exchange has a queue of `prefix` with a listener. */
export async function listening(prefix: string, exchanges: readonly string[]): Promise<void> {
  await eventually(
    `somebody listens to the queues of ${prefix}`,
    async () => {
      const queues = await queuesOf(prefix);
      return exchanges.every((exchange) =>
        queues.some((queue) => queue.name === `${prefix}.${exchange}` && queue.consumers > 0),
      );
    },
    { withinMs: 60_000, everyMs: 100 },
  );
}

/** Sends notifications as oslo.messaging's RabbitMQ driver does: topic exchanges, persistent, confirmed. */
export class NotificationSender {
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #exchanges = new Set<string>();

  private constructor(connection: ChannelModel, channel: ConfirmChannel) {
    this.#connection = connection;
    this.#channel = channel;
  }

  static async open(address: string): Promise<NotificationSender> {
    const connection = await connect(address);
    // The broker is made to cut connections, this one as well.
    connection.on("error", () => undefined);
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => undefined);
    return new NotificationSender(connection, channel);
  }

  /** Settles once the broker holds every message. */
  async send(
    notifications: readonly Pick<Notification, "exchange" | "routingKey" | "body">[],
  ): Promise<void> {
    for (const { exchange, routingKey, body } of notifications) {
      if (!this.#exchanges.has(exchange)) {
        await this.#channel.assertExchange(exchange, "topic", { durable: false, autoDelete: false });
        this.#exchanges.add(exchange);
      }
      this.#channel.publish(exchange, routingKey, Buffer.from(body), {
        contentType: "application/json",
        contentEncoding: "utf-8",
        deliveryMode: 2,
        priority: 0,
      });
    }
    await this.#channel.waitForConfirms();
  }

  async deleteQueues(prefix: string): Promise<void> {
    for (const { name } of await queuesOf(prefix)) await this.#channel.deleteQueue(name);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
