import { z } from "zod";

const time = z.iso.datetime({ offset: true });

/** `to` is not part of it. */
export const spanSchema = z.object({ from: time, to: time });

/** What is told of a connection beside its counts: what its source promises, what of that it breaks, where it was blind. */
export const sourceHealthFields = {
  /** Where events are known or suspected to be missing, oldest first. */
  holes: z.array(
    spanSchema.extend({
      reason: z.enum(["late-commit", "outlived-retention", "place-lost", "outage"]),
      says: z.string(),
    }),
  ),
  /** What of its contract the source breaks, as far as that still stands. */
  findings: z.array(
    z.object({
      code: z.string(),
      /** What such a finding means for whoever reads the events. */
      means: z.string(),
      /** What was seen last. */
      says: z.string(),
      since: time,
      last_at: time,
      count: z.number().int(),
    }),
  ),
  last_heard_at: time.nullable(),
  /** How long it may be silent at most; null where nothing is expected of it. */
  expect_within_ms: z.number().nullable(),
  /** The last time its records were compared with what its source still knew. */
  reconciled: z
    .object({
      at: time,
      from: time,
      to: time,
      records: z.number().int(),
      found_late: z.number().int(),
      found_late_ever: z.number().int(),
    })
    .nullable(),
  /** What the source promises; null where this server does not know the source. */
  contract: z
    .object({
      identity: z.string(),
      version: z.string(),
      ordering: z.enum(["sorted", "unsorted"]),
      commit_delay_max_ms: z.number(),
      clock_error_max_ms: z.number(),
      /** Null where the source keeps nothing that was not read, or for as long as it pleases. */
      retention_ms: z.number().nullable(),
      delivery: z.enum(["pull", "push"]),
      revisions: z.enum(["never", "allowed"]),
      blind_spots: z.string(),
    })
    .nullable(),
};
