import { admits, visible, type Need, type Owner, type View, type Who } from "./oracle.ts";
import { a1, postedConnection, worldEnd, plane, type MatrixWorld, type Thing } from "./matrix-world.ts";
import { spellView, type TrueEvent } from "./true-event.ts";

/** A request that an operation is tried with. */
export interface Ask {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Without the API's prefix, unless it begins with it. */
  readonly path: string;
  readonly body?: object;
  /** Asked with a new session's cookie, as a page does, where the principal can have one. */
  readonly asBrowser?: true;
  /** Asked without credentials but those in the body. */
  readonly asStranger?: true;
}

/** What has to be answered; 401 and 404 are always the one answer of their kind, to the byte. */
export interface Expected {
  /** `admitted`: whatever it is answered, neither of those two. `refused`: one of those two, or the query's problems. */
  readonly status: number | "admitted" | "refused";
  /** What the answer shows of events, each as often as it says. */
  readonly shows?: readonly string[];
  /** What it may show at most. */
  readonly among?: readonly string[];
  /** All of the body. */
  readonly body?: string;
  /** The sum that a histogram tells. */
  readonly total?: number;
}

export interface Operation {
  /** As the API's own document names it. */
  readonly name: string;
  readonly variant?: string;
  readonly need: Need;
  /** For `posting`: to which connection. */
  readonly connection?: (thing: Thing) => string;
  readonly ask: (thing: Thing, who: PrincipalLike, world: MatrixWorld) => Ask;
  /** For those who are admitted. */
  readonly expect: (who: Who, thing: Thing, world: MatrixWorld) => Expected;
}

interface PrincipalLike {
  readonly token?: string;
}

/** What has to come of it. */
export function expectationOf(operation: Operation, who: Who, thing: Thing, world: MatrixWorld): Expected {
  const admission = admits(who, operation.need, operation.connection?.(thing));
  // What cannot be understood is refused by its looks, whether a key for posting may read or not.
  if (who.kind === "poster" && thing.malformed && operation.need === "reading") return { status: "refused" };
  if (admission === "stranger") return { status: 401 };
  if (admission === "absent") return { status: 404 };
  return operation.expect(who, thing, world);
}

/** As what somebody reaches an event under the very id. */
function reached(who: Who, { event, idOf }: Thing): readonly View[] {
  if (event === undefined) return [];
  const views = visible(who, event);
  return idOf === "event"
    ? views.filter(({ as }) => as !== "notice")
    : views.filter((view) => view.as === "notice" && view.of === idOf);
}

function spell(event: TrueEvent | undefined, views: readonly View[]): string[] {
  return event === undefined ? [] : views.map((view) => spellView(event.name, view));
}

/** All that somebody sees, of those events and views that pass. */
function allSeen(
  who: Who,
  { events }: MatrixWorld,
  passes: (event: TrueEvent, view: View) => boolean = () => true,
): string[] {
  return events.flatMap((event) =>
    spell(
      event,
      visible(who, event).filter((view) => passes(event, view)),
    ),
  );
}

/** Views that name the thing's subject: the record its own, a notice the resources of whom it is told to. */
function naming(who: Who, thing: Thing, world: MatrixWorld): string[] {
  return allSeen(who, world, (event, view) => {
    if (view.as !== "notice") return event.subject.id === thing.subject.id;
    return event === thing.event && view.of === thing.idOf;
  });
}

function windowOf({ event }: Thing): string {
  const at = event?.at ?? worldEnd - 1;
  return `from=${new Date(at).toISOString()}&to=${new Date(at + 1).toISOString()}`;
}

function ownerOf({ event, idOf }: Thing): Owner | undefined {
  if (idOf !== undefined && idOf !== "event") return idOf;
  if (event?.whose.is === "owned") return event.whose.by;
  return event?.whose.is === "shared" ? a1 : undefined;
}

const get =
  (path: (thing: Thing) => string) =>
  (thing: Thing): Ask => ({ method: "GET", path: path(thing) });
const found = (views: readonly View[], answer: Expected): Expected =>
  views.length === 0 ? { status: 404 } : answer;
const badQuery: Expected = { status: 400 };
const resourceOf = ({ subject }: Thing): string => `${subject.kind}/${subject.id}`;

const events: readonly Operation[] = [
  {
    name: "GET /events/{id}",
    need: "reading",
    ask: get(({ id }) => `/events/${id}`),
    expect: (who, thing) => {
      const views = reached(who, thing);
      return found(views, { status: 200, shows: spell(thing.event, views) });
    },
  },
  {
    name: "GET /events/{id}/members",
    need: "reading",
    ask: get(({ id }) => `/events/${id}/members`),
    expect: (who, thing) => found(reached(who, thing), { status: 200, shows: [] }),
  },
  {
    name: "GET /events/{id}/ownership",
    need: "reading",
    ask: get(({ id }) => `/events/${id}/ownership`),
    expect: (who, thing) => found(reached(who, thing), { status: 200, shows: [] }),
  },
  {
    name: "GET /events/{id}/editions",
    need: "workbench",
    ask: get(({ id }) => `/events/${id}/editions`),
    expect: (who, thing) => found(reached(who, thing), { status: 200 }),
  },
  {
    name: "GET /events",
    variant: "of its moment",
    need: "reading",
    ask: get((thing) => (thing.malformed ? "/events?from=sometime" : `/events?${windowOf(thing)}`)),
    expect: (who, thing, world) =>
      thing.malformed
        ? badQuery
        : { status: 200, shows: allSeen(who, world, (event) => event === thing.event) },
  },
  {
    name: "GET /events",
    variant: "by a word of its edition",
    need: "reading",
    ask: get(({ event, name }) => `/events?q=shown-${event?.name ?? name}-name`),
    expect: (who, thing, world) => ({
      status: 200,
      shows: allSeen(who, world, (event) => event === thing.event && event.whose.is !== "shared"),
    }),
  },
  {
    name: "GET /events",
    variant: "by a word of the record",
    need: "reading",
    ask: get(({ event, name }) => `/events?q=WHOLE-${event?.name ?? name}-summary`),
    expect: (who, thing, world) => ({
      status: 200,
      shows: allSeen(who, world, (event, { as }) => event === thing.event && as === "whole"),
    }),
  },
  {
    name: "GET /events",
    variant: "of its subject",
    need: "reading",
    ask: get((thing) => `/events?order=oldest&resource=${resourceOf(thing)}`),
    expect: (who, thing, world) =>
      thing.malformed ? badQuery : { status: 200, shows: naming(who, thing, world) },
  },
  {
    name: "GET /events",
    variant: "of its owner",
    need: "reading",
    ask: get((thing) => `/events?project=${ownerOf(thing)?.project ?? "p-nobody"}`),
    expect: (who, thing, world) => {
      const project = ownerOf(thing)?.project;
      const isOf = ({ whose }: TrueEvent, view: View): boolean => {
        if (project === undefined) return false;
        if (view.as !== "whole") return view.of.project === project;
        if (whose.is === "shared") return whose.among.some((owner) => owner.project === project);
        return whose.is === "owned" && whose.by.project === project;
      };
      return { status: 200, shows: allSeen(who, world, isOf) };
    },
  },
  {
    name: "GET /events",
    variant: "by a parameter that is the provider's",
    need: "reading",
    ask: get(({ event }) => `/events?attribution=${event?.storable.attribution.status ?? "owned"}&limit=1`),
    expect: (who, _thing, world) =>
      who.kind === "tenant" ? badQuery : { status: 200, among: allSeen(who, world) },
  },
  {
    name: "GET /histogram",
    need: "reading",
    ask: get((thing) => (thing.malformed ? "/histogram?to=sometime" : `/histogram?${windowOf(thing)}`)),
    expect: (who, thing) => {
      if (thing.malformed) return badQuery;
      const total = thing.event === undefined ? 0 : visible(who, thing.event).length;
      return { status: 200, total };
    },
  },
  {
    name: "GET /what-else",
    variant: "before it",
    need: "reading",
    ask: get(({ id }) => `/what-else?limit=50&event=${id}`),
    expect: (who, thing, world) => found(reached(who, thing), { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /what-else",
    variant: "around its subject",
    need: "reading",
    ask: get((thing) => `/what-else?at=2026-11-20T11:59:00Z&resource=${resourceOf(thing)}`),
    expect: (who, thing, world) => (thing.malformed ? badQuery : { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /resources/{kind}/{id}",
    need: "reading",
    ask: get(({ subject }) => `/resources/${subject.kind}/${subject.id}`),
    expect: (who, thing, world) => {
      const shows = naming(who, thing, world);
      // Who stands where is the provider's to know, whatever happened there.
      if (who.kind === "provider" && thing.event !== undefined) return { status: 200, shows };
      return shows.length === 0 ? { status: 404 } : { status: 200, shows };
    },
  },
  {
    name: "GET /live",
    variant: "resumed after it",
    need: "reading",
    ask: get(({ id }) => `/live?last_event_id=${id}`),
    expect: (who, thing, world) =>
      reached(who, thing).length === 0 ? { status: 400 } : { status: 200, among: allSeen(who, world) },
  },
  {
    name: "GET /live",
    variant: "from now on",
    need: "reading",
    ask: get((thing) => (thing.malformed ? "/live?from=sometime" : `/live?${windowOf(thing)}`)),
    expect: (_who, thing) => (thing.malformed ? badQuery : { status: 200, shows: [] }),
  },
];

const tenancy: readonly Operation[] = [
  ...["/tenants", "/tenants/tree", "/session"].map((path): Operation => ({
    name: `GET ${path}`,
    need: "reading",
    ask: get(() => path),
    expect: () => ({ status: 200, shows: [] }),
  })),
  {
    name: "POST /session",
    need: "nothing",
    ask: (_thing, { token = "none at all" }) => ({
      method: "POST",
      path: "/session",
      body: { token },
      asStranger: true,
    }),
    expect: (who) => (who.kind === "nobody" || who.kind === "poster" ? { status: 401 } : { status: 200 }),
  },
  {
    name: "POST /session/as",
    need: "look-as-tenant",
    ask: (thing) => ({
      method: "POST",
      path: "/session/as",
      body: { control_plane: plane, project_id: ownerOf(thing)?.project ?? "p-nobody" },
      asBrowser: true,
    }),
    expect: (_who, thing) => ({ status: ownerOf(thing) === undefined ? 404 : 200, shows: [] }),
  },
  {
    name: "DELETE /session/as",
    need: "look-as-tenant",
    ask: () => ({ method: "DELETE", path: "/session/as", asBrowser: true }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /session/break-glass",
    need: "break-glass",
    ask: (thing) => ({
      method: "POST",
      path: "/session/break-glass",
      body: { why: `a test of ${thing.name}` },
      asBrowser: true,
    }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "DELETE /session/break-glass",
    need: "break-glass",
    ask: () => ({ method: "DELETE", path: "/session/break-glass", asBrowser: true }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "DELETE /session",
    need: "browser",
    ask: () => ({ method: "DELETE", path: "/session", asBrowser: true }),
    expect: () => ({ status: 204 }),
  },
  {
    name: "GET /health",
    need: "nothing",
    ask: get(() => "/health"),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /ingest/{connection}",
    need: "posting",
    connection: (thing) => connectionFor(thing),
    ask: (thing) => ({ method: "POST", path: `/ingest/${connectionFor(thing)}`, body: { id: thing.id } }),
    expect: (_who, thing) => ({ status: connectionFor(thing) === postedConnection ? 200 : 404 }),
  },
];

/** Own things are posted to the connection whose key is tried, others to another, and nothing to none. */
function connectionFor({ event, malformed }: Thing): string {
  if (event === undefined) return malformed ? "no%20name" : "nowhere";
  return event.whose.is === "owned" && event.whose.by.domain === "d-a" ? postedConnection : "hook-b";
}

const answer = { kind: "provider" };
const order = ({ id }: Thing) => ({
  match: { event_id: decodeURIComponent(id) },
  answer,
  why: "tried by a test",
  digest: "of no dry run",
});

const workbench: readonly Operation[] = [
  ...["/rulings", "/notice-templates", "/notice-templates/host-failure"].map((path): Operation => ({
    name: `GET ${path.replace("host-failure", "{name}")}`,
    need: "workbench",
    ask: get(() => path),
    expect: () => ({ status: 200, shows: [] }),
  })),
  {
    name: "GET /sources",
    need: "reading",
    ask: get(() => "/sources"),
    // Pages ask for it whoever looks at them: a tenant has no sources and nothing set aside.
    expect: ({ kind }) =>
      kind === "tenant" ? { status: 200, body: '{"connections":[],"set_aside":[]}' } : { status: 200 },
  },
  {
    name: "GET /quarantine",
    need: "reading",
    ask: get(() => "/quarantine"),
    expect: (who, _thing, world) => {
      const body = '{"total":0,"at_least":false,"groups":[],"truncated":false}';
      if (who.kind === "tenant") return { status: 200, body };
      const waits = ({ whose }: TrueEvent): boolean => whose.is === "unresolved" || whose.is === "ambiguous";
      return { status: 200, among: allSeen(who, world, waits) };
    },
  },
  {
    name: "GET /rulings/{id}",
    need: "workbench",
    ask: get(({ id }) => `/rulings/${id}`),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /quarantine/dry-run",
    need: "decide",
    ask: (thing) => ({
      method: "POST",
      path: "/quarantine/dry-run",
      body: { match: { event_id: decodeURIComponent(thing.id) }, answer },
    }),
    expect: (who, thing) => ({
      status: 200,
      among: spell(thing.event, reached(who, thing)),
    }),
  },
  {
    name: "POST /rulings",
    need: "decide",
    ask: (thing) => ({ method: "POST", path: "/rulings", body: order(thing) }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "POST /rulings/{id}/versions",
    need: "decide",
    ask: (thing) => ({
      method: "POST",
      path: `/rulings/${thing.id}/versions`,
      body: { ...order(thing), expected_version: 1 },
    }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /rulings/{id}/withdrawal",
    need: "decide",
    ask: ({ id }) => ({
      method: "POST",
      path: `/rulings/${id}/withdrawal`,
      body: { why: "tried", expected_version: 1 },
    }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /notice-templates/preview",
    need: "decide",
    ask: ({ name }) => ({
      method: "POST",
      path: "/notice-templates/preview",
      body: { text: `${name}: {part}` },
    }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "PUT /notice-templates/{name}",
    need: "decide",
    ask: () => ({
      method: "PUT",
      path: "/notice-templates/host-failure",
      body: { text: "{part}", expected_version: 99, why: "tried" },
    }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "DELETE /notice-templates/{name}",
    need: "decide",
    ask: () => ({ method: "DELETE", path: "/notice-templates/host-failure?expected_version=99&why=tried" }),
    expect: () => ({ status: "admitted" }),
  },
];

const audit: readonly Operation[] = [
  ...["/audit", "/audit/head"].map(
    (path): Operation => ({
      name: `GET ${path}`,
      need: "audit",
      ask: get(() => path),
      expect: () => ({ status: "admitted" }),
    }),
  ),
  {
    name: "GET /audit/{sequence}",
    need: "audit",
    ask: get(() => "/audit/999999999"),
    expect: () => ({ status: 404 }),
  },
];

/** Each operation of the API's document has at least one row here; a test holds the table to it. */
export const operations: readonly Operation[] = [...events, ...tenancy, ...workbench, ...audit];
