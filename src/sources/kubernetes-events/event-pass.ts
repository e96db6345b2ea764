import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { answeredAt, FarClock } from "../answer-time.ts";
import type { LostPlace } from "../cursor/opaque.ts";
import { losePlace } from "../cursor/opaque.ts";
import {
  authHeaders,
  baseUrl,
  joinUrl,
  nameRequest,
  parseSettings,
  secretReference,
} from "../http-settings.ts";
import { checkStatus, readJsonAnswer } from "../json-answer.ts";
import { asObject, asText } from "../json-fields.ts";
import type { HttpResponse, Page, RawRecord, SourceIo } from "../source.ts";

/** How long after its own time an event may first be written, and how far the reporters' clocks may be from ours. */
const settleMs = duration(60_000);

/** client-go writes the repetitions of a series (`events.k8s.io`) every half an hour only. */
export const commitDelayMs = duration(31 * 60_000);
export const clockErrorMs = duration(5_000);

export const kubernetesSettings = z.strictObject({
  url: baseUrl.describe("Address of the API server, such as `https://kubernetes.default.svc`."),
  token: secretReference
    .optional()
    .describe(
      "Bearer token that may list and watch events, as `env:NAME` or `file:PATH`; read for each request.",
    ),
  api: z
    .enum(["events.k8s.io/v1", "v1"])
    .default("events.k8s.io/v1")
    .describe("Which API is asked; both show the same events, under the same ids."),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .max(63)
    .optional()
    .describe("Reads one namespace; without it the whole cluster."),
  watch_seconds: z
    .number()
    .int()
    .min(1)
    .max(50)
    .default(10)
    .describe("How long each pass listens for what is new."),
  page_size: z
    .number()
    .int()
    .min(1)
    .max(5_000)
    .default(500)
    .describe("Events asked for per request of a list."),
  nodes_are_hosts: z
    .boolean()
    .default(false)
    .describe("True where OpenStack runs on this cluster, so that its nodes are OpenStack's hosts."),
});
type KubernetesSettings = z.output<typeof kubernetesSettings>;

/** A place in a list, or the version after which to watch; both null to begin anew. */
export const kubernetesCursor = z.object({
  continue: z.string().nullable(),
  resourceVersion: z.string().nullable(),
  /** When that list was asked for, or the last watch: what happened until then was read. */
  heardAt: z.number().int().nullable().default(null),
});
export type KubernetesCursor = z.output<typeof kubernetesCursor>;

const beginning: KubernetesCursor = { continue: null, resourceVersion: null, heardAt: null };

/** Lists whatever the cluster still keeps, whenever that was. */
export function listAnew(): KubernetesCursor {
  return beginning;
}

/** How often one call may begin anew before it is given up for this pass. */
const restartsMax = 2;

/**
 * One request: a page of the list, or, from its version on, a watch that the server ends after `watch_seconds`. A
 * pass is over after a watch. A version or a place that the server has forgotten (410 Gone) is listed anew; what it
 * still has is read again and folds. Throws as `readJsonAnswer` does.
 */
export async function fetchEvents(
  config: JsonObject,
  from: KubernetesCursor | undefined,
  io: SourceIo,
): Promise<Page<KubernetesCursor>> {
  const settings = parseSettings(kubernetesSettings, config);
  let cursor = from ?? beginning;
  let lost: Partial<LostPlace> = {};
  const clock = new FarClock(io);
  for (let restarts = 0; restarts <= restartsMax; restarts += 1) {
    const isWatching = cursor.continue === null && cursor.resourceVersion !== null;
    const page = isWatching
      ? await watchEvents(settings, cursor, cursor.resourceVersion!, clock)
      : await listEvents(settings, cursor, clock);
    if (page !== "gone") return { ...lost, ...page };
    io.warn("the cluster has forgotten our place, so its events are listed anew");
    // A place that is lost again at once is one and the same loss.
    if (lost.findings === undefined) lost = loseVersion(settings, cursor, clock.latest());
    cursor = beginning;
  }
  throw new IsochronError(
    "source-unavailable",
    `The cluster answered 410 to ${restartsMax + 1} requests in a row.`,
    "Nothing was skipped; the next pass tries again.",
  );
}

function loseVersion({ url }: KubernetesSettings, { heardAt }: KubernetesCursor, now: Instant): LostPlace {
  return losePlace(`The cluster at ${url}`, heardAt === null ? undefined : instant(heardAt), now);
}

function addressOf({ url, api, namespace }: KubernetesSettings, query: Record<string, string>): string {
  const root = api === "v1" ? "api/v1" : `apis/${api}`;
  const scope = namespace === undefined ? "" : `namespaces/${namespace}/`;
  return `${joinUrl(url, `${root}/${scope}events`)}?${new URLSearchParams(query).toString()}`;
}

async function ask(settings: KubernetesSettings, url: string, io: SourceIo): Promise<HttpResponse> {
  const auth = settings.token === undefined ? undefined : { bearer: settings.token };
  return io.http({ method: "GET", url, headers: { accept: "application/json", ...authHeaders(auth, io) } });
}

async function listEvents(
  settings: KubernetesSettings,
  cursor: KubernetesCursor,
  clock: FarClock,
): Promise<Page<KubernetesCursor> | "gone"> {
  const { io } = clock;
  const askedAt = io.now();
  const url = addressOf(settings, {
    limit: String(settings.page_size),
    ...(cursor.continue !== null && { continue: cursor.continue }),
  });
  const answer = await ask(settings, url, io);
  if (answer.status === 410) return "gone";
  const name = nameRequest("GET", url);
  const body = asObject(readJsonAnswer(answer, name));
  const metadata = asObject(body?.["metadata"]);
  const items = body?.["items"];
  const version = cursor.resourceVersion ?? asText(metadata?.["resourceVersion"]);
  if (!(items === null || Array.isArray(items)) || version === undefined) {
    throw malformed(name, "no list of events");
  }
  const receivedAt = answer.sentAt ?? io.now();
  // The server dates a list when it has read it.
  const readFor = receivedAt - askedAt;
  const listedAt = answeredAt(answer);
  return {
    records: ((items ?? []) as readonly Json[]).map((item) => recordOf(item, "list", receivedAt, settings)),
    // The watch begins where the list began: what happened while it was read in pages is read again, and folds.
    cursor: {
      continue: asText(metadata?.["continue"]) ?? null,
      resourceVersion: version,
      heardAt: cursor.heardAt ?? (listedAt === undefined ? askedAt : listedAt - readFor),
    },
    done: false,
  };
}

async function watchEvents(
  settings: KubernetesSettings,
  cursor: KubernetesCursor,
  resourceVersion: string,
  clock: FarClock,
): Promise<Page<KubernetesCursor> | "gone"> {
  const { io } = clock;
  const askedAt = io.now();
  const url = addressOf(settings, {
    watch: "true",
    resourceVersion,
    allowWatchBookmarks: "true",
    timeoutSeconds: String(settings.watch_seconds),
  });
  const answer = await ask(settings, url, io);
  if (answer.status === 410) return "gone";
  const name = nameRequest("GET", url);
  checkStatus(answer, name);
  const receivedAt = answer.sentAt ?? io.now();
  const records: RawRecord[] = [];
  let version = resourceVersion;
  const { lines, isWhole } = readLines(answer, name);
  for (const { type, object } of lines) {
    if (type === "ERROR") {
      // What was read before it is kept: the place is only forgotten for what comes after.
      if (asObject(object)?.["code"] === 410 && records.length === 0) return "gone";
      if (asObject(object)?.["code"] === 410) {
        return { ...loseVersion(settings, cursor, clock.latest()), records, cursor: beginning, done: false };
      }
      throw malformed(name, `the error ${asText(asObject(object)?.["message"]) ?? "without a message"}`);
    }
    version = asText(asObject(asObject(object)?.["metadata"])?.["resourceVersion"]) ?? version;
    // An event that is deleted has only grown too old for the cluster to keep.
    if (type === "ADDED" || type === "MODIFIED") {
      records.push(recordOf(object ?? null, "watch", receivedAt, settings));
    }
  }
  // The server dates a watch as it begins, and hands over what happens until it ends it.
  const heardAt = answeredAt(answer) ?? askedAt;
  return {
    records,
    cursor: { continue: null, resourceVersion: version, heardAt: isWhole ? heardAt : cursor.heardAt },
    done: true,
    // An event bears the time at which its reporter saw it, and is written later, by a clock that may differ. Behind a
    // line that was cut there may have been more.
    ...(isWhole && { completeTo: instant(heardAt - settleMs - clockErrorMs) }),
  };
}

interface WatchLines {
  readonly lines: readonly JsonObject[];
  /** False where the last line was cut: it is left for the next watch, as its version was not taken. */
  readonly isWhole: boolean;
}

/** One JSON document a line; a sign-in page with status 200 is no watch in which nothing happened. */
function readLines(answer: HttpResponse, name: string): WatchLines {
  const parts = new TextDecoder().decode(answer.body).split("\n");
  const last = (parts.pop() ?? "").trim();
  const whole = parts.filter((line) => line.trim() !== "");
  const lines = whole.map((line) => readLine(line, answer, name));
  if (last === "") return { lines, isWhole: true };
  if (last.endsWith("}") && isJson(last))
    return { lines: [...lines, readLine(last, answer, name)], isWhole: true };
  if (last.startsWith("{")) return { lines, isWhole: false };
  throw malformed(name, "a line that is no watch event");
}

/** A line may also be cut right behind a brace. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function readLine(line: string, answer: HttpResponse, name: string): JsonObject {
  const value = asObject(readJsonAnswer({ ...answer, body: new TextEncoder().encode(line) }, name));
  if (value !== undefined) return value;
  throw malformed(name, "a line that is no watch event");
}

function malformed(name: string, what: string): IsochronError {
  return new IsochronError(
    "source-malformed",
    `${name} answered with ${what}.`,
    "Check that the address is the API server's, and the API's version.",
  );
}

/** The event as it was sent, without the bookkeeping of who wrote which field. */
function recordOf(
  item: Json,
  how: "list" | "watch",
  receivedAt: Instant,
  { nodes_are_hosts: nodesAreHosts }: KubernetesSettings,
): RawRecord {
  const event = asObject(item);
  const metadata = asObject(event?.["metadata"]);
  const { managedFields: _written, ...kept } = metadata ?? {};
  const whole = metadata === undefined ? item : { ...event, metadata: kept };
  return {
    bytes: new TextEncoder().encode(JSON.stringify(whole)),
    position: `${how} ${asText(metadata?.["namespace"]) ?? "-"}/${asText(metadata?.["name"]) ?? "unnamed"}`,
    receivedAt,
    meta: { nodes_are_hosts: nodesAreHosts },
  };
}
