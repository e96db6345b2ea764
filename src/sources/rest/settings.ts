import { z } from "zod";
import { baseUrl, httpAuth } from "../http-settings.ts";
import { restApi } from "./api-shape.ts";
import type { RestApi } from "./api-shape.ts";
import { presetNames, presets } from "./presets.ts";

/** Settings of one connection: which system, who asks, and how much at a time. */
export const restSettings = z
  .strictObject({
    preset: z
      .enum(presetNames)
      .optional()
      .describe("The ticket system: request-tracker, servicenow, jira or zendesk."),
    api: restApi.optional().describe("Another system, described in the words of the presets."),
    url: baseUrl.describe("Address of the system, such as `https://rt.example.org`."),
    auth: httpAuth.describe("Who asks: `basic`, `bearer` or `header`."),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/)
      .optional()
      .describe(
        "Stands before the ids of its tickets; the preset's name unless there are several such systems.",
      ),
    filter: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe("Narrows the tickets, in the system's own query language."),
    variables: z
      .record(z.string(), z.string().regex(/^[\w.-]+$/))
      .default({})
      .describe("Replaces the preset's variables, such as ServiceNow's `table`."),
    done_statuses: z
      .array(z.string().min(1))
      .optional()
      .describe("The statuses in which a ticket is done with, where they differ from the preset's."),
    history: z
      .boolean()
      .default(true)
      .describe(
        "False where the account may not read histories: then only creation and resolution are told.",
      ),
    resources: z
      .array(
        z.strictObject({
          kind: z
            .string()
            .regex(/^[a-z][a-z0-9_]{0,63}$/)
            .describe("Kind of the resource, such as `server`."),
          path: z.string().min(1).describe("Where the ticket holds its id."),
        }),
      )
      .max(20)
      .default([])
      .describe("Fields of a ticket that hold ids of resources; what people type there proves no owner."),
    page_size: z.number().int().min(1).max(1000).default(50).describe("Items asked for per request."),
    pages_max: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .describe("Requests per listing before it is given up."),
    overlap_seconds: z
      .number()
      .int()
      .min(60)
      .max(86_400)
      .default(300)
      .describe(
        "How far each pass reads back into the one before, because tickets are stored and indexed late.",
      ),
    look_back_hours: z
      .number()
      .int()
      .min(1)
      .max(8760)
      .default(24)
      .describe("How far back the first pass reads."),
  })
  .refine((settings) => (settings.preset === undefined) !== (settings.api === undefined), {
    error: "either `preset` or `api`, and not both",
  });
export type RestSettings = z.output<typeof restSettings>;

export function apiOf(settings: RestSettings): RestApi {
  return settings.api ?? presets[settings.preset!];
}
