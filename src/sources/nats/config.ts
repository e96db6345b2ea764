import { z } from "zod";
import { secretReferencePattern, secretReferenceProblem } from "../../model/secret-reference.ts";

const reference = (what: string) =>
  z
    .string()
    .regex(secretReferencePattern, { error: secretReferenceProblem })
    .optional()
    .describe(`Reference \`env:NAME\`, \`file:PATH\` or \`credential:NAME\` to ${what}.`);

/** Which stream to read, and who asks. */
export const natsConfig = z.strictObject({
  servers: z
    .array(z.string().min(1))
    .min(1)
    .describe("Addresses of the servers, such as `nats.example.org:4222`; the first that answers is used."),
  stream: z.string().min(1).describe("The JetStream stream to read; Isochron makes none."),
  subjects: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Only these subjects of the stream, wildcards allowed; more than one needs a server from 2.10 on.",
    ),
  consumer: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default("isochron")
    .describe(
      "Name of the durable pull consumer, which is made where it is missing and shared by all workers.",
    ),
  user: z.string().optional().describe("User name."),
  password: reference("the user's password"),
  token: reference("a token, instead of a user"),
  creds: reference("the text of a credentials file (JWT and seed), instead of a user"),
  tls: z.boolean().default(false).describe("Only speak TLS; set by itself where `ca` is."),
  ca: reference("the PEM of the authority that signed the servers' certificates"),
  ack_wait_seconds: z
    .number()
    .min(1)
    .max(3600)
    .default(60)
    .describe("How long the server waits for an acknowledgement before it delivers a message again."),
  ack_pending_max: z
    .number()
    .int()
    .min(1)
    .max(20_000)
    .default(1000)
    .describe("Messages delivered and not acknowledged at a time, over all workers."),
  bytes_max: z
    .number()
    .int()
    .min(65_536)
    .default(8 * 1024 * 1024)
    .describe(
      "Bytes of messages that one worker holds at a time, at least one message of the server's largest.",
    ),
});

export type NatsConfig = z.infer<typeof natsConfig>;
