import type { Channel, ConfirmChannel } from "amqplib";
import { IsochronError } from "../../errors.ts";

/** Rejects when the channel ends, by whomever; never settles otherwise. */
export function channelEnd(channel: Channel | ConfirmChannel): Promise<never> {
  const end = new Promise<never>((_, reject) => {
    channel.on("error", reject);
    channel.on("close", () => reject(lost("the channel was closed")));
  });
  end.catch(() => undefined);
  return end;
}

export function lost(what: string): IsochronError {
  return new IsochronError("source-unavailable", `AMQP: ${what}.`, "It is tried again by itself.");
}
