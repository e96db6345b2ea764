import type { Instant } from "../../model/instant.ts";
import type { Finding, Hole } from "../../model/source-health.ts";

/** A partition that the group has given to this worker, and how far it has read it. */
export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next message. */
  position: bigint;
  /** Where the messages that may be read ended, when it was asked last; undefined before. */
  end: bigint | undefined;
  /** A loss whose span ends where the next message begins. */
  loss: { readonly says: string; readonly reason: "outlived-retention" | "place-lost" } | undefined;
}

/** What is said of a position that the partition no longer has, or never had. */
export function lossAt(
  { topic, partition, position }: Pick<AssignedPartition, "topic" | "partition" | "position">,
  first: bigint,
  end: bigint,
): NonNullable<AssignedPartition["loss"]> {
  const place = `partition ${partition} of topic ${topic}`;
  if (position < first) {
    const says = `${first - position} messages of ${place} were dropped before they were read, offsets ${position} to ${first - 1n}.`;
    return { says, reason: "outlived-retention" };
  }
  const says = `${place} ends at offset ${end} and was read up to ${position}: it was made anew or cut off; it is read from ${first} on.`;
  return { says, reason: "place-lost" };
}

/**
 * The hole that a loss left: from when all was known to be read, to the first message that is left. Without such a
 * moment before that message, it reaches back as far as the topic keeps messages.
 */
export function holeOf(
  loss: NonNullable<AssignedPartition["loss"]>,
  known: Instant | undefined,
  to: Instant,
  retentionMs: number,
): { hole: Hole; finding: Finding } {
  const from = known !== undefined && known < to ? known : ((to - retentionMs) as Instant);
  return { hole: { from, to, ...loss }, finding: { code: loss.reason, says: loss.says } };
}
