import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Instant } from "../../model/instant.ts";
import { asShape } from "../json-fields.ts";
import type { RawRecord } from "../source.ts";
import { restApi } from "./api-shape.ts";
import { presetNames, presets } from "./presets.ts";
import type { RestSettings } from "./settings.ts";
import { apiOf } from "./settings.ts";
import type { TicketReading } from "./ticket.ts";

const readingShape = z.object({
  preset: z.enum(presetNames).optional(),
  api: restApi.optional(),
  url: z.string(),
  name: z.string(),
  done: z.array(z.string()),
  variables: z.record(z.string(), z.string()),
  resources: z.array(z.object({ kind: z.string(), path: z.string() })),
});

const metaShape = z.object({
  part: z.enum(["ticket", "transition", "history-lost"]),
  /** True where no history tells when a ticket was resolved. */
  resolution: z.boolean().default(false),
  /** The ticket that an item of a history belongs to. */
  ticket: z.custom<Json>().optional(),
  problem: z.string().optional(),
  reading: readingShape,
});

export interface RestMeta {
  readonly part: "ticket" | "transition" | "history-lost";
  readonly resolution: boolean;
  readonly ticket: Json | undefined;
  readonly problem: string | undefined;
  readonly reading: TicketReading;
}

/** What of the settings is kept with each record, so that a replay needs nothing else; no secret is among it. */
export function readingOf(settings: RestSettings): JsonObject {
  const api = apiOf(settings);
  return {
    ...(settings.preset === undefined
      ? { api: settings.api as unknown as Json }
      : { preset: settings.preset }),
    url: settings.url,
    name: settings.name ?? settings.preset ?? "ticket",
    done: settings.done_statuses ?? api.done,
    variables: settings.variables,
    resources: settings.resources,
  };
}

/** A record with the item's JSON as its bytes. */
export function writeRestRecord(
  item: Json,
  position: string,
  receivedAt: Instant,
  meta: JsonObject,
): RawRecord {
  return { bytes: new TextEncoder().encode(JSON.stringify(item)), position, receivedAt, meta };
}

/** Throws `record-invalid`. */
export function readRestMeta(meta: JsonObject): RestMeta {
  const { part, resolution, ticket, problem, reading } = asShape(metaShape, meta, "record of a ticket");
  const { preset, api, ...rest } = reading;
  const known = api ?? (preset === undefined ? undefined : presets[preset]);
  if (known === undefined) {
    throw new IsochronError("record-invalid", "The record names no preset.", "Read the ticket again.");
  }
  return { part, resolution, ticket, problem, reading: { ...rest, api: known } };
}
