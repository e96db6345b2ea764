import { problemSchema } from "../../src/present/api/contract.ts";
import { csrfHeader } from "../../src/present/api/contract.ts";
import { bearer } from "../api-host.ts";
import { SeededRandom } from "../faults/seeded-random.ts";
import type { Report, Size } from "../isolation/report.ts";
import { openFuzzWorld, worldWords, type FuzzWorld } from "./fuzz-world.ts";
import { hostileTexts, hostileValues } from "./hostile-documents.ts";
import { mutateBytes, mutateValue } from "./mutation.ts";

const requestsOf: Readonly<Record<Size | "small", number>> = { small: 12, short: 80, full: 1_000 };
const sequencesOf: Readonly<Record<Size | "small", number>> = { small: 5, short: 40, full: 2_000 };
const sequenceLength = 30;
const hangMs = 5_000;

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly $ref?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: Schema;
  }[];
  readonly body?: Schema;
}

/** Asks every operation of the API's own document what it takes, what it nearly takes, and what it never would. */
export async function run(report: Report, size: Size | "small", seed = "operations"): Promise<void> {
  const world = await openFuzzWorld();
  try {
    const operations = await readOperations(world);
    const schemas = await readSchemas(world);
    const known = new Set(worldWords);
    for (const operation of operations) {
      const random = new SeededRandom(`${seed} ${operation.method} ${operation.path}`);
      const failures: string[] = [];
      for (let at = 0; at < requestsOf[size]; at += 1)
        failures.push(...(await ask(world, operation, { random, schemas, negate: at % 2 === 1, known })));
      report.count(`${operation.method} ${operation.path}`, requestsOf[size], failures.length, failures[0]);
    }
    const random = new SeededRandom(`${seed} sequences`);
    const failures: string[] = [];
    for (let at = 0; at < sequencesOf[size]; at += 1)
      for (let step = 0; step < sequenceLength; step += 1)
        failures.push(
          ...(await ask(world, random.pick(operations), {
            random,
            schemas,
            negate: random.chance(0.2),
            known,
          })),
        );
    report.count("sequences", sequencesOf[size] * sequenceLength, failures.length, failures[0]);
  } finally {
    await world.close();
  }
}

interface Asking {
  readonly random: SeededRandom;
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly negate: boolean;
  /** Words that answers held, which later requests ask for again. */
  readonly known: Set<string>;
}

async function ask(world: FuzzWorld, operation: Operation, asking: Asking): Promise<readonly string[]> {
  const { random } = asking;
  const request = requestOf(operation, asking);
  const as = random.pick(["provider", "provider", "provider", "prod", "north", "ingest"]);
  const began = performance.now();
  const answer = await world.app.inject({
    method: operation.method,
    url: request.url as `/${string}`,
    headers: { ...bearer(as), [csrfHeader]: "1", ...request.headers },
    ...(request.body === undefined ? {} : { payload: Buffer.from(request.body) }),
  });
  const told = `${operation.method} ${request.url.slice(0, 200)} as ${as}: ${answer.statusCode}`;
  const failures: string[] = [];
  const isAbsentPart = answer.statusCode === 503 && answer.body.includes("erasure-unready");
  if (answer.statusCode >= 500 && !isAbsentPart)
    failures.push(
      `${told} ${answer.body.slice(0, 200)} for ${Buffer.from(request.body ?? "")
        .toString()
        .slice(0, 200)}`,
    );
  if (performance.now() - began > hangMs) failures.push(`${told} took too long`);
  if (answer.statusCode >= 400) {
    const isProblem = String(answer.headers["content-type"]).startsWith("application/problem+json");
    if (!isProblem || !problemSchema.safeParse(answer.json()).success)
      failures.push(`${told} is no problem document`);
  } else remember(answer.body, asking.known);
  for (const value of Object.values(answer.headers).flat())
    if (/[\r\n]/.test(String(value))) failures.push(`${told} breaks a header`);
  return failures;
}

function remember(body: string, known: Set<string>): void {
  for (const [, word] of body.matchAll(/"(?:id|connection|name|group)":"([^"\\]{1,100})"/g))
    if (known.size < 500 && word !== undefined) known.add(word);
}

function requestOf({ path, parameters, body }: Operation, asking: Asking) {
  const { random, negate, schemas } = asking;
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: place, required, schema = {} } of parameters) {
    const isHostile = negate && random.chance(0.5);
    const value = isHostile
      ? random.pick(hostileTexts).slice(0, 2_000)
      : String(validOf(schema, asking, name));
    if (place === "path")
      filled = filled.replace(`{${name}}`, encodeURIComponent(value.toWellFormed()) || "%20");
    if (place !== "query" || !(required === true || random.chance(0.4))) continue;
    query.append(name, value.toWellFormed());
    if (negate && random.chance(0.1)) query.append(name, value.toWellFormed());
  }
  if (negate && random.chance(0.1)) query.append(random.pick(["x", "__proto__", "limit[]", "a\0"]), "1");
  const url = query.size === 0 ? filled : `${filled}?${query.toString()}`;
  if (body === undefined) return { url, headers: {} };
  const valid = path.includes("/ingest/")
    ? { specversion: "1.0", id: String(random.next()), source: "fuzz", type: "a.b", data: { a: 1 } }
    : validOf(resolved(body, schemas), asking, "");
  const value = negate ? mutateValue(random, valid) : valid;
  const bytes = Buffer.from(JSON.stringify(value) ?? "");
  const type = path.includes("/ingest/") ? "application/cloudevents+json" : "application/json";
  return {
    url,
    headers: {
      "content-type": negate && random.chance(0.05) ? String(random.pick(["text/plain", "x", ""])) : type,
    },
    body: negate && random.chance(0.3) ? mutateBytes(random, bytes) : bytes,
  };
}

function resolved(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (schemas[name] ?? {});
}

/** A value of the kind that the schema takes; patterns are met by words of the world, or not at all. */
function validOf(given: Schema, asking: Asking, name: string): unknown {
  const { random, schemas, known } = asking;
  const schema = resolved(given, schemas);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return validOf(random.pick(choices), asking, name);
  const type = Array.isArray(schema.type)
    ? String(random.pick(schema.type))
    : (schema.type as string | undefined);
  if (type === "object" || schema.properties !== undefined) {
    const entries = Object.entries(schema.properties ?? {}).filter(
      ([key]) => schema.required?.includes(key) === true || random.chance(0.5),
    );
    return Object.fromEntries(entries.map(([key, inner]) => [key, validOf(inner, asking, key)]));
  }
  if (type === "array")
    return Array.from({ length: random.whole(0, 3) }, () => validOf(schema.items ?? {}, asking, name));
  if (type === "integer" || type === "number")
    return random.whole(Math.max(schema.minimum ?? 0, -1_000), Math.min(schema.maximum ?? 1_000, 1_000_000));
  if (type === "boolean") return random.chance(0.5);
  if (type === "null") return null;
  if (type === undefined && random.chance(0.3)) return random.pick(hostileValues);
  if (/^(from|to|at|until|since|before|after|expires)/.test(name)) return "2026-11-20T11:00:00Z";
  return random.pick([...known, "2026-11-20T10:30:00Z", "asc", "1", "a"]);
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

async function readDocument({ app }: FuzzWorld): Promise<OpenApi> {
  const answer = await app.inject({
    method: "GET",
    url: "/api/v1/openapi.json",
    headers: bearer("provider"),
  });
  return answer.json<OpenApi>();
}

async function readSchemas(world: FuzzWorld): Promise<Readonly<Record<string, Schema>>> {
  return (await readDocument(world)).components.schemas;
}

/** Every operation but the live stream, which has no end; what is accepted is read back from that elsewhere. */
async function readOperations(world: FuzzWorld): Promise<readonly Operation[]> {
  const { paths } = await readDocument(world);
  return Object.entries(paths)
    .filter(([path]) => !path.endsWith("/live"))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]): Operation => {
        const { parameters = [], requestBody } = described as {
          parameters?: Operation["parameters"];
          requestBody?: { content: Readonly<Record<string, { schema?: Schema }>> };
        };
        const body = Object.values(requestBody?.content ?? {})[0]?.schema;
        return {
          method: method.toUpperCase() as Operation["method"],
          path,
          parameters,
          ...(body === undefined ? {} : { body }),
        };
      }),
    );
}
