import { z } from "zod";
import { accessFields } from "../openstack-inventory/settings.ts";

/** The services that this source can ask, by the names that OpenStack's service-types authority gives them. */
export const pollableServices = ["orchestration", "load-balancer"] as const;

/** Settings of one connection: which cloud, with whose credentials, and how often all stacks are looked through. */
export const eventsApiSettings = z
  .strictObject({
    ...accessFields,
    services: z
      .array(z.enum(pollableServices))
      .min(1)
      .default([...pollableServices])
      .describe("`orchestration` (Heat) and `load-balancer` (Octavia)."),
    page_size: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(1000)
      .describe("Events or objects asked for per request; a stack's events are read best in one."),
    pages_max: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .describe("Requests per listing before it is given up."),
    records_max: z
      .number()
      .int()
      .min(1)
      .max(50_000)
      .default(2000)
      .describe("Records handed over at a time; reading stops after the request that reaches it."),
    overlap_seconds: z
      .number()
      .int()
      .min(60)
      .max(86_400)
      .default(300)
      .describe(
        "How far each pass reads back into the one before, because several engines write with clocks of their own.",
      ),
    look_back_hours: z
      .number()
      .int()
      .min(0)
      .max(8760)
      .default(24)
      .describe("How far back the first pass tells events of stacks."),
    full_every_seconds: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(300)
      .describe("How often every stack's events are asked for; in between, those of stacks that changed."),
  })
  .refine((settings) => settings.cloud === undefined || settings.auth === undefined, {
    error: "either `cloud` or `auth`, not both",
  });

export type EventsApiSettings = z.output<typeof eventsApiSettings>;
