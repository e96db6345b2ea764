import { z } from "zod";

/** Where to listen; every field but the URL has OpenStack's usual value. */
export const notificationsConfig = z.strictObject({
  url: z.string().describe("AMQP URL of the broker, or a reference `env:NAME` / `file:PATH` to it."),
  exchanges: z
    .array(z.string())
    .default(["nova", "cinder", "openstack", "neutron", "glance", "keystone", "heat"])
    .describe("Control exchanges of the services."),
  topics: z
    .array(z.string())
    .default(["notifications", "versioned_notifications"])
    .describe("Notification topics; Nova's versioned format has its own."),
  priorities: z
    .array(z.string())
    .default(["audit", "critical", "debug", "error", "info", "sample", "warn"])
    .describe("Priorities bound per topic."),
  queue: z.string().default("isochron").describe("Prefix of the queues that Isochron declares for itself."),
  queue_messages_max: z
    .number()
    .int()
    .min(1000)
    .default(500_000)
    .describe("Bound of each queue, in messages."),
  prefetch: z.number().int().min(1).max(2000).default(300).describe("Unacknowledged deliveries at a time."),
  exchanges_durable: z
    .boolean()
    .default(false)
    .describe("How to declare an exchange that no service has declared yet: oslo's `amqp_durable_queues`."),
});

export type NotificationsConfig = z.infer<typeof notificationsConfig>;
