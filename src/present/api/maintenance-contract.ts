import { z } from "zod";
import { decimalParameter, textParameter, timeParameter } from "./query-parameters.ts";

/** Planned work: a part of the HTTP contract, and the provider's alone. */

const time = z.iso.datetime({ offset: true });
const thing = z.strictObject({
  kind: z.string().regex(/^[a-z_]{1,50}$/),
  id: textParameter(500).min(1),
});
const why = textParameter(500).regex(/\S/, { error: "blank" }).describe("For whoever asks later.");

/** Work that was known of, with where that is known from. */
export const workWindowSchema = z.object({
  /** Of work that was planned here. */
  id: z.string().optional(),
  title: z.string(),
  from: time,
  /** Not part of it; null where no end is told. */
  to: time.nullable(),
  control_plane: z.string(),
  on: z.array(z.object({ kind: z.string(), id: z.string() })),
  told: z.object({
    by: z.enum(["planned", "status-page", "silence", "disabled-service"]),
    /** Who planned it here. */
    person: z.string().optional(),
    why: z.string().optional(),
    /** Which connection tells of it, and by which event. */
    connection: z.string().optional(),
    event: z.string().optional(),
  }),
  cancelled_at: time.nullable(),
});
export type WorkWindowJson = z.infer<typeof workWindowSchema>;

export const maintenanceQuerySchema = z.strictObject({ limit: decimalParameter(1, 500, 100) });

export const maintenanceParamsSchema = z.object({
  id: z.string().regex(/^mnt_[0-9a-z]{26}$/, { error: "not the id of planned work" }),
});

export const planMaintenanceSchema = z
  .strictObject({
    title: textParameter(200).regex(/\S/, { error: "blank" }),
    from: timeParameter,
    to: timeParameter.describe("Not part of it."),
    control_plane: textParameter(200)
      .min(1)
      .optional()
      .describe("Whose things these are; needed where more than one is known."),
    on: z.array(thing).min(1).max(100).describe("What is worked on: hosts, services, regions and the like."),
    why,
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ["to"], error: "not after `from`" });

export const cancelMaintenanceSchema = z.strictObject({ why: why.optional() });

export const maintenanceSchema = z.object({
  /** The latest first, cancelled ones too. */
  windows: z.array(workWindowSchema),
});
export type MaintenanceJson = z.infer<typeof maintenanceSchema>;
