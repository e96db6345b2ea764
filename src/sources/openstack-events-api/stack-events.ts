import { IsochronError } from "../../errors.ts";
import { duration, formatInstant, instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Finding, Hole } from "../../model/source-health.ts";
import { asObject } from "../json-fields.ts";
import { readJsonAnswer } from "../json-answer.ts";
import { objects, text } from "../openstack-inventory/item.ts";
import type { CloudSession } from "../openstack-inventory/keystone.ts";
import type { RawRecord, SourceIo } from "../source.ts";
import { writeRecord } from "./event-record.ts";
import type { OpenReading, StackPlace } from "./events-cursor.ts";
import type { EventsApiSettings } from "./settings.ts";

/** Several engines date what they write, each with a clock of its own. */
export const clockErrorMs = duration(5_000);

/** How far two of them may be apart. */
const clockSpreadMs = 2 * clockErrorMs;

/** A stack as `GET /v1/{project}/stacks` lists it, in the fields that reading its events needs. */
export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly project?: string;
  readonly parent?: string;
  /** In milliseconds since the epoch; absent where it was not deleted. */
  readonly createdAt?: number;
  readonly deletedAt?: number;
  /** What changes whenever the listing shows a change. */
  readonly stamp: string;
}

/** Undefined for what has no id and could not be asked for. */
export function readStack(item: JsonObject): Stack | undefined {
  const id = text(item, "id");
  const name = text(item, "stack_name");
  if (id === undefined || name === undefined) return undefined;
  const status = text(item, "stack_status") ?? "";
  const project = text(item, "project") ?? text(item, "tenant");
  const parent = text(item, "parent");
  const createdAt = timeOf(item, "creation_time");
  const deletedAt = timeOf(item, "deletion_time");
  const stamp = [status, text(item, "updated_time"), text(item, "deletion_time")].map((part) => part ?? "-");
  return {
    id,
    name,
    status,
    stamp: stamp.join(" "),
    ...(project !== undefined && { project }),
    ...(parent !== undefined && { parent }),
    ...(createdAt !== undefined && { createdAt }),
    ...(deletedAt !== undefined && { deletedAt }),
  };
}

/** Heat writes UTC, in older versions without saying so. */
function timeOf(item: JsonObject, field: string): number | undefined {
  const said = text(item, field);
  if (said === undefined) return undefined;
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(said) ? said : `${said}Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** What reading one stack's events needs. */
export interface StackReading {
  readonly settings: EventsApiSettings;
  readonly session: CloudSession;
  readonly io: SourceIo;
  readonly startedAt: number;
  /** Events from before this are read past and not told. */
  readonly since: number;
  readonly isSpent: (records: number) => boolean;
}

export type StackOutcome =
  | { readonly records: readonly RawRecord[]; readonly open: OpenReading }
  | {
      readonly records: readonly RawRecord[];
      readonly place: StackPlace;
      readonly findings: readonly Finding[];
      readonly holes: readonly Hole[];
    };

interface StackEvent {
  readonly item: JsonObject;
  readonly id: string;
  readonly at: number;
}

/**
 * Reads the events of one stack (`GET /v1/{project}/stacks/{name}/{id}/events`) from its signpost on, until they end
 * or `isSpent` says so. Nested stacks are asked for their own: `nested_depth` gives nothing of a stack that is deleted
 * or has no resources yet. Heat takes an unknown marker for none and begins anew, so that pruning shows by what is no
 * longer found: the newest event of the reading before. Throws as {@link readJsonAnswer}.
 */
export async function readStackEvents(
  reading: StackReading,
  stack: Stack,
  place: StackPlace | undefined,
  from: OpenReading | null,
): Promise<StackOutcome> {
  const { settings } = reading;
  const path = `/stacks/${encodeURIComponent(stack.name)}/${encodeURIComponent(stack.id)}`;
  const records: RawRecord[] = [];
  let open: OpenReading = from ?? {
    stack: stack.id,
    next: place?.after ?? null,
    pages: 0,
    first: null,
    whole: false,
    foundLast: false,
    signpost: place?.after ?? null,
    newest: null,
  };
  for (;;) {
    const query = new URLSearchParams({ sort_dir: "asc", limit: String(settings.page_size) });
    if (open.next !== null) query.set("marker", open.next);
    const items = await askList(reading, stack, `${path}/events?${query.toString()}`, "events");
    const events = items.map(readEvent).filter((event) => event !== undefined);
    const told = events.filter(({ at }) => at >= reading.since);
    records.push(...(await writeEvents(reading, stack, path, told)));
    open = passEvents(reading, stack, place, open, events);
    const next = events.at(-1)?.id;
    if (items.length < settings.page_size || next === undefined) {
      return {
        records,
        place: placeAfter(reading, stack, place, open),
        ...pruned(reading, stack, place, open),
      };
    }
    if (open.pages >= settings.pages_max) {
      throw new IsochronError(
        "source-malformed",
        `The events of stack ${stack.id} go on after ${settings.pages_max} requests.`,
        "Raise `pages_max` or `page_size`.",
      );
    }
    open = { ...open, next };
    if (reading.isSpent(records.length)) return { records, open };
  }
}

function readEvent(item: JsonObject): StackEvent | undefined {
  const id = text(item, "id");
  const at = timeOf(item, "event_time");
  return id === undefined ? undefined : { item, id, at: at ?? Number.POSITIVE_INFINITY };
}

/** Notes of a page's events what the next reading begins at, and what tells of pruning. */
function passEvents(
  { settings, startedAt }: StackReading,
  stack: Stack,
  place: StackPlace | undefined,
  open: OpenReading,
  events: readonly StackEvent[],
): OpenReading {
  const settledAt = startedAt - settings.overlap_seconds * 1000;
  let { first, whole, foundLast, signpost, newest } = open;
  for (const { item, id, at: said } of events) {
    const at = Number.isFinite(said) ? said : startedAt;
    if (newest !== null && newest[0] !== id && newest[1] < settledAt) signpost = newest[0];
    if (first === null) whole = beginsStack(item, stack);
    first ??= [id, at];
    foundLast ||= id === place?.last?.[0];
    newest = [id, at];
  }
  return { ...open, pages: open.pages + 1, first, whole, foundLast, signpost, newest };
}

/** Heat's first event of every stack is the stack's own, as it begins. */
function beginsStack(item: JsonObject, stack: Stack): boolean {
  return (
    text(item, "physical_resource_id") === stack.id &&
    /^(CREATE|ADOPT)_IN_PROGRESS$/.test(text(item, "resource_status") ?? "")
  );
}

function placeAfter(
  { startedAt }: StackReading,
  stack: Stack,
  place: StackPlace | undefined,
  { newest, signpost }: OpenReading,
): StackPlace {
  const last = newest ?? place?.last ?? null;
  return { name: stack.name, stamp: stack.stamp, after: signpost, last, readAt: startedAt, missed: 0 };
}

/** What Heat may have pruned unread (`max_events_per_stack`), if anything. */
function pruned(
  { startedAt, since }: StackReading,
  stack: Stack,
  place: StackPlace | undefined,
  { first, whole, foundLast }: OpenReading,
): { readonly findings: readonly Finding[]; readonly holes: readonly Hole[] } {
  const last = place?.last ?? null;
  // What was written before it may bear a later time, by an engine with another clock.
  const to = first === null ? startedAt : first[1] + 1000 + clockSpreadMs;
  if (last !== null) {
    if (foundLast || last[1] < since) return { findings: [], holes: [] };
    return say("place-lost", stack, last[1] - clockSpreadMs, to);
  }
  if (first === null || whole || first[1] < since) return { findings: [], holes: [] };
  const begun = (stack.createdAt ?? since) - clockSpreadMs;
  return say("outlived-retention", stack, Math.max(since, begun), to);
}

function say(reason: "place-lost" | "outlived-retention", stack: Stack, from: number, to: number) {
  const span = { from: instant(Math.min(from, to - 1000)), to: instant(to) };
  const says =
    `Heat has pruned events of stack ${stack.name} (${stack.id}) that were not read, ` +
    `between ${formatInstant(span.from)} and ${formatInstant(span.to)}.`;
  return { findings: [{ code: reason, says }], holes: [{ ...span, reason, says }] };
}

/** What is to be said of a stack that is no longer listed although its end was not read. */
export function loseStack(place: StackPlace, id: string, to: number) {
  const from = place.last?.[1] ?? place.readAt ?? to;
  const span = { from: instant(from), to: instant(Math.max(to, from + 1000)) };
  const says =
    `Heat no longer lists stack ${place.name} (${id}), whose events were read up to ` +
    `${formatInstant(span.from)} and whose end was not among them.`;
  return {
    finding: { code: "place-lost", says } as const,
    hole: { ...span, reason: "place-lost", says } as const,
  };
}

async function writeEvents(
  reading: StackReading,
  stack: Stack,
  path: string,
  events: readonly StackEvent[],
): Promise<readonly RawRecord[]> {
  const seenAt = reading.io.now();
  const types = await readTypes(reading, stack, path, events);
  const { id, name, project, parent } = stack;
  const origin = { id, name, ...(project && { project }), ...(parent && { parent }) };
  return events.map(({ item, id: event }) => {
    const type = types.get(bearerOf(item));
    return writeRecord(
      { part: "stack-event", item, stack: origin, ...(type !== undefined && { type }), seenAt },
      `event ${event} of stack ${id}`,
    );
  });
}

/** A resource by its name in the template and the thing that stood behind it then. */
function bearerOf(item: JsonObject): string {
  return `${text(item, "resource_name") ?? ""} ${text(item, "physical_resource_id") ?? ""}`;
}

/**
 * What the events' resources are. A listing of events does not say; the stack's resources do for those that it still
 * has, and each of the others is asked of one of its own events, which keeps the type for good.
 */
async function readTypes(
  reading: StackReading,
  stack: Stack,
  path: string,
  events: readonly StackEvent[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const types = new Map<string, string | undefined>();
  const ofResources = events.filter(({ item }) => {
    const thing = text(item, "physical_resource_id");
    return thing !== undefined && thing !== stack.id;
  });
  if (ofResources.length === 0) return types;
  const isDeleted = stack.deletedAt !== undefined;
  const resources = isDeleted ? [] : await askList(reading, stack, `${path}/resources`, "resources", true);
  for (const resource of resources) {
    const type = text(resource, "resource_type");
    if (type !== undefined) types.set(bearerOf(resource), type);
  }
  for (const { item, id } of ofResources) {
    const bearer = bearerOf(item);
    const resource = text(item, "resource_name");
    if (types.has(bearer) || resource === undefined) continue;
    const answer = await ask(
      reading,
      stack,
      `${path}/resources/${encodeURIComponent(resource)}/events/${id}`,
    );
    // Gone meanwhile, or not ours to see: then the resource is only told by its name.
    const type =
      answer.status === 404 || answer.status === 403
        ? undefined
        : text(asObject(asObject(readJsonAnswer(answer, "Heat's event"))?.["event"]), "resource_type");
    types.set(bearer, type);
  }
  return types;
}

function ask({ session }: StackReading, { project }: Stack, path: string) {
  // Heat's address ends with the caller's project; a stack is asked for under its own.
  const base = session.endpoint("orchestration") ?? "";
  const own = project === undefined ? base : base.replace(/(\/v1)(?:\/[^/]+)?$/, `$1/${project}`);
  return session.get("orchestration", path, { base: own });
}

async function askList(
  reading: StackReading,
  stack: Stack,
  path: string,
  key: string,
  optional = false,
): Promise<readonly JsonObject[]> {
  const answer = await ask(reading, stack, path);
  if (optional && (answer.status === 404 || answer.status === 403)) return [];
  if (answer.status === 404 || answer.status === 403) throw new StackUnavailable(answer.status);
  const from = `Heat's ${key} of stack ${stack.id}`;
  const body: Json = readJsonAnswer(answer, from);
  const list = asObject(body)?.[key];
  if (Array.isArray(list)) return objects(list as Json);
  throw new IsochronError(
    "source-malformed",
    `${from} have no \`${key}\`.`,
    "Check that the endpoint in the catalog is Heat's own.",
  );
}

/** One stack is gone or not ours to read, which says nothing of the others. */
export class StackUnavailable extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`answered ${status}`);
    this.status = status;
  }
}
