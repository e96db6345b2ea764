import { z } from "zod";
import { secretReferencePattern, secretReferenceProblem } from "../../model/secret-reference.ts";

const reference = (what: string) =>
  z
    .string()
    .regex(secretReferencePattern, { error: secretReferenceProblem })
    .optional()
    .describe(`Reference \`env:NAME\`, \`file:PATH\` or \`credential:NAME\` to ${what}.`);

/** Which topics to read, and who asks. */
export const kafkaConfig = z.strictObject({
  brokers: z
    .array(z.string().regex(/^.+:\d+$/))
    .min(1)
    .describe("Addresses `host:port` of some brokers of the cluster; the others are learnt from them."),
  topics: z.array(z.string().min(1)).min(1).describe("Topics to read; Isochron makes none."),
  group: z
    .string()
    .min(1)
    .default("isochron")
    .describe("Consumer group, which all workers share; a new one begins at the oldest messages there are."),
  sasl: z
    .strictObject({
      mechanism: z.enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
      user: z.string().min(1),
      password: z
        .string()
        .regex(secretReferencePattern, { error: secretReferenceProblem })
        .describe("Reference `env:NAME`, `file:PATH` or `credential:NAME` to the user's password."),
    })
    .optional()
    .describe("How to sign in."),
  tls: z.boolean().default(false).describe("Speak TLS; set by itself where `ca` is."),
  ca: reference("the PEM of the authority that signed the brokers' certificates"),
  session_seconds: z
    .number()
    .min(6)
    .max(300)
    .default(30)
    .describe("After how long a silent worker's partitions are given to the others."),
  retention_hours: z
    .number()
    .min(1)
    .default(168)
    .describe(
      "How long the topics keep messages; how far back a loss may reach of which nothing else is known.",
    ),
  bytes_max: z
    .number()
    .int()
    .min(65_536)
    .default(8 * 1024 * 1024)
    .describe(
      "Bytes of messages that one worker asks for at a time, over all brokers, as they are compressed.",
    ),
});

export type KafkaConfig = z.infer<typeof kafkaConfig>;
