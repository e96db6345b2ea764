import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { SourceIo } from "./source.ts";
import { secretReferencePattern, secretReferenceProblem } from "../model/secret-reference.ts";

/** Where a secret is found; the secret itself never stands in a configuration. */
export const secretReference = z.string().regex(secretReferencePattern, {
  error: secretReferenceProblem,
});

/** An address of an API, with or without a path; credentials in it would end up in logs. */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !URL.canParse(url) || (new URL(url).username === "" && new URL(url).password === ""), {
    error: "an address without user and password; use `auth`",
  })
  .refine((url) => !/[?#]/.test(url), { error: "an address without `?` and `#`" });

/** How requests show who asks. */
export const httpAuth = z.union([
  z.strictObject({
    basic: z.strictObject({
      user: z.string().min(1).describe("Name of the user."),
      password: secretReference.describe("Its password or API token, as `env:NAME` or `file:PATH`."),
    }),
  }),
  z.strictObject({ bearer: secretReference.describe("A bearer token, as `env:NAME` or `file:PATH`.") }),
  z.strictObject({
    header: z.strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9-]+$/)
        .describe("Name of the header."),
      value: secretReference.describe("Its value, as `env:NAME` or `file:PATH`."),
      prefix: z.string().default("").describe("What stands before the secret, such as `token `."),
    }),
  }),
]);
export type HttpAuth = z.output<typeof httpAuth>;

/** The header that shows who asks; none without `auth`. Throws `config-invalid` when the secret is not there. */
export function authHeaders(
  auth: HttpAuth | undefined,
  io: Pick<SourceIo, "secret">,
): Readonly<Record<string, string>> {
  if (auth === undefined) return {};
  if ("bearer" in auth) return { authorization: `Bearer ${io.secret(auth.bearer)}` };
  if ("header" in auth) {
    const { name, prefix, value } = auth.header;
    return { [name.toLowerCase()]: prefix + io.secret(value) };
  }
  const { user, password } = auth.basic;
  return { authorization: `Basic ${Buffer.from(`${user}:${io.secret(password)}`).toString("base64")}` };
}

/** `base` and a path below it; `base` may have a path of its own and may end with a slash. */
export function joinUrl(base: string, path: string): string {
  return `${base.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
}

/** A request as it is named to people: neither query nor credentials. */
export function nameRequest(method: string, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

/** Throws `config-invalid` with every problem at once; values are never repeated, as one may be a secret. */
export function parseSettings<Shape extends z.ZodType>(shape: Shape, config: JsonObject): z.output<Shape> {
  const parsed = shape.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join(".") || "config"}: ${issue.message}`,
  );
  throw new IsochronError(
    "config-invalid",
    `The connection's settings have problems: ${problems.join("; ")}.`,
    "Correct them in the configuration of the connection.",
  );
}
