import { expect } from "vitest";
import type { EventDraft } from "../src/model/event.ts";
import { instant } from "../src/model/instant.ts";
import type { Json, JsonObject } from "../src/model/json.ts";
import type { Finding, Hole } from "../src/model/source-health.ts";
import { decoders } from "../src/normalise/decode.ts";
import { openstackEventsApi } from "../src/sources/openstack-events-api.ts";
import type { HttpRequest, HttpResponse, SourceIo } from "../src/sources/source.ts";
import type { EventsApiCursor } from "../src/sources/openstack-events-api/events-cursor.ts";
import { eventsApiCursor } from "../src/sources/openstack-events-api/events-cursor.ts";

export const start = Date.UTC(2026, 10, 21, 4);
export const minute = 60_000;
export const caller = "ca11e400000000000000000000000000";
export const shop = "5409000000000000000000000000aaaa";
export const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export interface HeatEvent {
  readonly id: string;
  readonly row: number;
  readonly at: number;
  readonly item: JsonObject;
}

export interface HeatStack {
  readonly id: string;
  readonly project: string;
  readonly createdAt: number;
  status: string;
  updatedAt: number | null;
  deletedAt: number | null;
  readonly events: HeatEvent[];
}

/** Heat and Octavia as far as this source asks them, with Heat's own rules for markers, order and pruning. */
export class SimulatedCloud {
  now = start;
  readonly stacks = new Map<string, HeatStack>();
  /** Octavia's objects by path. */
  readonly objects: Record<string, JsonObject[]> = {};
  readonly requests: string[] = [];
  readonly warnings: string[] = [];
  isGlobal = false;
  /** Answers in place of the API's, by path; and what happens when a request was answered. */
  broken: (path: string) => number | undefined = () => undefined;
  afterRequest: () => void = () => undefined;
  #rows = 0;

  addStack(id: string, project = shop): HeatStack {
    const stack = {
      id,
      project,
      createdAt: this.now,
      status: "CREATE_IN_PROGRESS",
      updatedAt: null,
      deletedAt: null,
      events: [],
    };
    this.stacks.set(id, stack);
    this.addEvent(stack, {
      physical_resource_id: id,
      resource_name: id,
      resource_status: "CREATE_IN_PROGRESS",
    });
    return stack;
  }

  /** An event dated `at`, written now. */
  addEvent(stack: HeatStack, more: JsonObject = {}, at = this.now): string {
    this.#rows += 1;
    const id = `event-${this.#rows}`;
    const item: JsonObject = {
      id,
      event_time: seconds(at),
      resource_name: "net",
      logical_resource_id: "net",
      physical_resource_id: "60fe8658-b1f1-4398-944b-a80b1657a0d4",
      resource_status: "UPDATE_COMPLETE",
      resource_status_reason: "state changed",
      ...more,
    };
    stack.events.push({ id, row: this.#rows, at: Math.floor(at / 1000), item });
    return id;
  }

  readonly io: SourceIo = {
    http: (request) => Promise.resolve(this.#answer(request)),
    sql: () => expect.unreachable("it reads no database"),
    now: () => instant(this.now),
    signal: new AbortController().signal,
    warn: (message, fields) => void this.warnings.push(`${message} ${JSON.stringify(fields)}`),
    secret: () => "open sesame",
    readText: () => Promise.resolve(undefined),
  };

  #answer({ method, url }: HttpRequest): HttpResponse {
    const { pathname, searchParams } = new URL(url);
    if (method === "POST") {
      const endpoints = [
        ["orchestration", `http://heat/v1/${caller}`],
        ["load-balancer", "http://octavia"],
      ].map(([type, address]) => ({ type, endpoints: [{ interface: "public", url: address }] }));
      return reply(201, { token: { catalog: endpoints } } as unknown as Json, { "x-subject-token": "t" });
    }
    this.requests.push(pathname + new URL(url).search);
    const status = this.broken(pathname);
    if (status !== undefined) return reply(status, {});
    const answer = url.startsWith("http://octavia")
      ? this.#octavia(pathname, searchParams)
      : this.#heat(pathname, searchParams);
    this.afterRequest();
    return answer;
  }

  #heat(pathname: string, query: URLSearchParams): HttpResponse {
    const [, , project, , , id, part, , , event] = pathname.split("/");
    if (id === undefined) {
      if (query.has("global_tenant") && !this.isGlobal) return reply(403, {});
      const all = [...this.stacks.values()].toSorted((a, b) => a.createdAt - b.createdAt);
      return reply(200, { stacks: pageOf(all, query).map(listed) });
    }
    const stack = this.stacks.get(id);
    // A stack is asked for under its own project.
    if (stack === undefined || stack.project !== project) return reply(404, {});
    if (event !== undefined) {
      const found = stack.events.find((one) => one.id === event);
      return found === undefined
        ? reply(404, {})
        : reply(200, { event: { ...found.item, resource_type: "OS::Neutron::Net" } });
    }
    if (part === "resources") return reply(200, { resources: [] });
    const sorted = stack.events.toSorted((a, b) => a.at - b.at || a.row - b.row);
    return reply(200, { events: pageOf(sorted, query).map(({ item }) => item) });
  }

  #octavia(pathname: string, query: URLSearchParams): HttpResponse {
    const path = pathname.replace("/v2.0", "");
    const key = path.split("/").at(-1) ?? "";
    if (path.startsWith("/octavia")) return reply(403, {});
    const all = (this.objects[path] ?? []) as (JsonObject & { id: string })[];
    const page = pageOf(all, query);
    const last = page.at(-1)?.id;
    const isMore = last !== undefined && last !== all.at(-1)?.id;
    const next = `http://octavia${pathname}?limit=${query.get("limit")}&marker=${last}`;
    return reply(200, { [key]: page, ...(isMore && { [`${key}_links`]: [{ rel: "next", href: next }] }) });
  }
}

/** What follows the marker; Heat and Octavia begin anew when they do not know it. */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  query: URLSearchParams,
): Row[] {
  const marker = query.get("marker");
  const from = marker === null ? 0 : rows.findIndex(({ id }) => id === marker) + 1;
  return rows.slice(from, from + Number(query.get("limit")));
}

export function listed({ id, project, status, createdAt, updatedAt, deletedAt }: HeatStack): JsonObject {
  return {
    id,
    project,
    stack_name: id,
    stack_status: status,
    creation_time: seconds(createdAt),
    updated_time: updatedAt === null ? null : seconds(updatedAt),
    deletion_time: deletedAt === null ? null : seconds(deletedAt),
    stack_owner: "admin",
    parent: null,
  };
}

export function reply(status: number, body: Json, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: new TextEncoder().encode(JSON.stringify(body)) };
}

export const auth = { auth_url: "http://keystone", username: "u", password: "env:P", project_name: "admin" };

export interface Passed {
  readonly cursor: EventsApiCursor;
  readonly drafts: readonly EventDraft[];
  readonly findings: readonly Finding[];
  readonly holes: readonly Hole[];
  readonly completeTo: number | undefined;
}

/** One whole pass; each cursor goes through JSON, as it does when it is stored. */
export async function pass(
  cloud: SimulatedCloud,
  from?: EventsApiCursor,
  more: JsonObject = {},
): Promise<Passed> {
  const config = openstackEventsApi.config.parse({ auth, overlap_seconds: 60, ...more });
  const drafts: EventDraft[] = [];
  const findings: Finding[] = [];
  const holes: Hole[] = [];
  let cursor = from;
  for (let pages = 0; pages < 400; pages += 1) {
    const page = await openstackEventsApi.fetch(config, cursor, cloud.io);
    cursor = eventsApiCursor.parse(JSON.parse(JSON.stringify(page.cursor)));
    drafts.push(...page.records.flatMap((record) => openstackEventsApi.normalise(record, decoders).events));
    findings.push(...(page.findings ?? []));
    holes.push(...(page.holes ?? []));
    if (page.done) return { cursor, drafts, findings, holes, completeTo: page.completeTo };
  }
  throw new Error("the pass does not end");
}

export const keysOf = ({ drafts }: Passed): readonly string[] => drafts.map(({ key }) => key);
