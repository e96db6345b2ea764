import type { Channel, ChannelModel } from "amqplib";
import { setTimeout as sleep } from "node:timers/promises";
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { StreamIo } from "../source.ts";
import { channelEnd } from "./channel-end.ts";
import type { NotificationsConfig } from "./config.ts";

/** How often the broker is asked whether anything waits. */
export const heartbeatMs = 5_000;

export function queueOf({ queue }: Pick<NotificationsConfig, "queue">, exchange: string): string {
  return `${queue}.${exchange}`;
}

/** Looks after our own queues: whether they are empty, and whether they are there at all. */
export class QueueWatch {
  readonly #queues: readonly string[];
  readonly #io: StreamIo;
  /** Those that this process has listened to. */
  readonly #known = new Set<string>();
  #heardAt: Instant | undefined;

  constructor(config: Pick<NotificationsConfig, "queue" | "exchanges">, io: StreamIo) {
    this.#queues = config.exchanges.map((exchange) => queueOf(config, exchange));
    this.#io = io;
    this.#heardAt = io.heardBefore;
  }

  /**
   * Tells of queues that are gone although they were listened to before: with a queue everything is lost that waited in
   * it or was sent meanwhile. Without memory of a queue, as after a restart, only the absence of all of them tells of a
   * loss: a single one may belong to an exchange that was configured just now.
   */
  async lookForQueues(connection: ChannelModel): Promise<void> {
    const missing: string[] = [];
    for (const queue of this.#queues) if (!(await exists(connection, queue))) missing.push(queue);
    const gone =
      missing.length === this.#queues.length ? missing : missing.filter((queue) => this.#known.has(queue));
    for (const queue of this.#queues) this.#known.add(queue);
    if (gone.length === 0 || this.#heardAt === undefined) return;
    const [from, to] = [this.#heardAt, this.#io.now()];
    const says = `${gone.length === 1 ? "The queue" : "The queues"} ${gone.join(", ")} had vanished from the broker since ${formatInstant(from)}.`;
    this.#io.warn("our queues had vanished from the broker", { queues: gone });
    this.#io.lost({ from, to, reason: "place-lost", says }, { code: "place-lost", says });
    this.#heardAt = to;
  }

  /** Says every few seconds that the broker is there, and when nothing waits, that all that was sent has come. */
  async tellAlive(channel: Channel, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#io.signal.aborted) {
      const askedAt = this.#io.now();
      let isAllHere = true;
      for (const queue of this.#queues) {
        // An answer follows whatever was handed out before on the same channel.
        const { messageCount, consumerCount } = await channel.checkQueue(queue);
        // What other workers were handed and have not stored is in no count that the broker tells.
        if (messageCount > 0 || consumerCount > 1) isAllHere = false;
      }
      this.#heardAt = askedAt;
      this.#io.alive(isAllHere ? askedAt : undefined);
      await rest(AbortSignal.any([signal, this.#io.signal]));
    }
  }
}

async function rest(signal: AbortSignal): Promise<void> {
  try {
    await sleep(heartbeatMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** On a channel of its own, because a failed passive declaration closes its channel. */
async function exists(connection: ChannelModel, queue: string): Promise<boolean> {
  const probe = await connection.createChannel();
  const closed = channelEnd(probe);
  try {
    await Promise.race([probe.checkQueue(queue), closed]);
    await probe.close();
    return true;
  } catch (error) {
    if (!/404|NOT_FOUND/.test(error instanceof Error ? error.message : "")) throw error;
    return false;
  }
}
