import { z } from "zod";
import { secretReference } from "../http-settings.ts";

/** Names of syslog's severities, by their numbers (RFC 5424, table 2). */
export const severityNames = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const;

/** Where to listen, and how what arrives is to be understood. */
export const syslogConfig = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("Address to listen on. Plain syslog proves no sender: open it to a trusted network only."),
  port: z.number().int().min(0).max(65_535).default(6514).describe("TCP port; 0 takes any free one."),
  tls: z
    .strictObject({
      certificate: secretReference.describe("Our certificate with its chain, as `file:PATH`."),
      key: secretReference.describe("Its private key, as `file:PATH`."),
      client_authority: secretReference
        .optional()
        .describe("Who signs the senders' certificates; with it, a sender without one is turned away."),
    })
    .optional()
    .describe("Listens with TLS (RFC 5425) when given."),
  zone: z
    .string()
    .refine(isZone, { error: "`Z`, an offset such as `+02:00`, or a name such as `Europe/Paris`" })
    .optional()
    .describe(
      "Time zone of senders whose times name none (RFC 3164). Without it such a message is set aside.",
    ),
  symptom_from: z
    .enum(severityNames)
    .default("warning")
    .describe("The least severity that makes a message a symptom; others are activity."),
  connections_max: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(256)
    .describe("Senders at a time; more are turned away."),
  idle_seconds: z
    .number()
    .int()
    .min(0)
    .max(604_800)
    .default(0)
    .describe("Ends a connection that is silent for so long; 0 never does, as quiet senders are normal."),
});

export type SyslogConfig = z.output<typeof syslogConfig>;

export const offsetPattern = /^([+-])(\d\d):(\d\d)$/;

function isZone(zone: string): boolean {
  if (zone === "Z" || offsetPattern.test(zone)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
