import type { FastifyInstance } from "fastify";
import type { AddressInfo } from "node:net";
import type { Customer } from "../../src/model/customer.ts";
import type { EntityRef } from "../../src/model/entity.ts";
import { instant } from "../../src/model/instant.ts";
import type { Relation } from "../../src/model/topology.ts";
import { clean } from "../../src/normalise/clean.ts";
import { disclosureClasses, redactionDiff } from "../../src/normalise/redact-diff.ts";
import { findAlerts } from "../../src/pipeline/alerts.ts";
import { findBlast } from "../../src/pipeline/blast.ts";
import { openOperations } from "../../src/pipeline/operations.ts";
import { compareEvents } from "../../src/pipeline/compare.ts";
import { createNotices } from "../../src/pipeline/notices.ts";
import { openRulingDesk } from "../../src/pipeline/ruling-desk.ts";
import { findWhatElse } from "../../src/pipeline/what-else.ts";
import type { ApiParts } from "../../src/present/api/api-parts.ts";
import type { EventsPageJson } from "../../src/present/api/contract.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import type { StatedFact } from "../../src/store/event-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { Erasures } from "../../src/present/api/retention-parts.ts";
import { getJson, startApi } from "../api-host.ts";
import { ToldIdentities } from "../api-sign-in.ts";
import { hashOf, tokenText } from "../api-world.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { ruledStagesOver } from "../stages.ts";
import { fillRules, silentNotifications } from "./notification-world.ts";
import { tellIncident, type ToldIncident } from "./matrix-incident.ts";
import type { Owner } from "./oracle.ts";
import { residentOf, trueEvent, type EventSpec, type TrueEvent } from "./true-event.ts";

/** The estate of the matrix: tenant A with two projects, tenant B with one, one that is gone, and a shared host. */
export const plane = "region-1";
export const postedConnection = "hook-a";
export const otherConnection = "hook-b";
const worldStart = instant(Date.parse("2026-11-20T10:00:00Z"));
export const worldEnd = instant(Date.parse("2026-11-20T12:00:00Z"));

export const a1: Owner = { plane, domain: "d-a", project: "p-a1" };
const a2: Owner = { plane, domain: "d-a", project: "p-a2" };
const b1: Owner = { plane, domain: "d-b", project: "p-b1" };
const gone: Owner = { plane, domain: "d-gone", project: "p-gone" };
const volume: EntityRef = { kind: "volume", id: "vol-that-was-given" };

const specs: readonly Omit<EventSpec, "at">[] = [
  { name: "own", whose: { is: "owned", by: a1 }, visibility: "operational" },
  { name: "own-second", whose: { is: "owned", by: a2 }, visibility: "operational" },
  { name: "others", whose: { is: "owned", by: b1 }, visibility: "operational" },
  { name: "shared", whose: { is: "shared", among: [a1, b1] }, visibility: "operational" },
  { name: "unresolved", whose: { is: "unresolved" }, visibility: "operational" },
  { name: "waiting-secret", whose: { is: "unresolved" }, visibility: "security" },
  { name: "ambiguous", whose: { is: "ambiguous" }, visibility: "operational", candidates: [a1, b1] },
  { name: "provider", whose: { is: "provider" }, visibility: "operational" },
  { name: "provider-class", whose: { is: "owned", by: a1 }, visibility: "provider" },
  { name: "security", whose: { is: "owned", by: a1 }, visibility: "security" },
  { name: "others-security", whose: { is: "owned", by: b1 }, visibility: "security" },
  { name: "billing", whose: { is: "owned", by: a1 }, visibility: "billing" },
  { name: "before-transfer", whose: { is: "owned", by: a1 }, visibility: "operational", subject: volume },
  { name: "after-transfer", whose: { is: "owned", by: b1 }, visibility: "operational", subject: volume },
  { name: "deleted", whose: { is: "owned", by: gone }, visibility: "operational" },
];

/** What an operation can be tried on: an event under one of its ids, or none. */
export interface Thing {
  readonly name: string;
  readonly event?: TrueEvent;
  /** `event`, or whose notice the id is of. */
  readonly idOf?: "event" | Owner;
  readonly id: string;
  readonly subject: EntityRef;
  readonly malformed?: true;
}

export interface MatrixWorld {
  readonly store: Store;
  readonly app: FastifyInstance;
  readonly port: number;
  readonly events: readonly TrueEvent[];
  readonly things: readonly Thing[];
  readonly incident: ToldIncident;
  readonly nameAt: (occurredAt: string) => string;
  /** Of the provider's own list, one event at a time. */
  readonly cursor: string;
  readonly close: () => Promise<void>;
}

export const customers: readonly Customer[] = [
  { id: "c-a", name: "customer a", members: [memberOf(a1), memberOf(a2)] },
];

function memberOf({ project }: Owner) {
  return { controlPlane: plane, projectId: project! };
}

/** Fills a store of its own; `parts` and `wrap` put something else in the place of the product's own parts. */
export async function openMatrixWorld(
  parts: Partial<ApiParts> = {},
  wrap: (store: Store) => Store = (store) => store,
): Promise<MatrixWorld> {
  const database: TestStore = await openTestStore();
  const events = specs.map((spec, index) => trueEvent({ ...spec, at: instant(worldStart + index * 61_000) }));
  await fill(database.store, events);
  const incident = await tellIncident(database.store, [a1, b1]);
  await fillRules(database.store, plane, worldEnd);
  const store = wrap(database.store);
  const app = await startApi(store, { ...partsOver(store), ...parts });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const nameAt = nameByMoment(events);
  const { things, cursor } = await listThings(database.store, events);
  return {
    cursor,
    store,
    app,
    port: (app.server.address() as AddressInfo).port,
    events,
    things,
    incident,
    nameAt,
    close: async () => {
      await app.close();
      await database.close();
    },
  };
}

/** The real parts, as the program puts them together. */
export function partsOver(store: Store): Partial<ApiParts> {
  const stages = ruledStagesOver(store, worldEnd);
  const { reader, correlation } = store;
  return {
    whatElse: (scope, question) =>
      findWhatElse({ reader, correlation, buildView: buildTopologyView }, scope, question),
    blast: (scope, query) =>
      findBlast({ reader, topology: store.topology, buildView: buildTopologyView }, scope, query),
    operations: openOperations({ ...store, now: () => worldEnd }),
    alerts: (scope, query) =>
      findAlerts({ ...store, buildView: buildTopologyView, now: () => worldEnd }, scope, query),
    compare: (scope, query) => compareEvents(reader, scope, query),
    rulings: openRulingDesk(stages, store, async () => undefined),
    notices: createNotices(store, clean, () => worldEnd).desk,
    identityProviders: [identities],
    erasures: nothingErased,
    notifications: silentNotifications(store),
    redaction: { compare: redactionDiff, classes: disclosureClasses },
    tenantSettings: { customers },
    ingest: async (name) => (name === postedConnection ? nothingPosted : undefined),
    limits: { requestsPerMinute: 1e9, refusalsPerMinute: 1e9, liveHeartbeatMs: 15 },
  };
}

/** What the identity service says of two of its users, by what they hold. */
const identities = new ToldIdentities();
for (const [credential, projects] of Object.entries({ both: ["p-a1", "p-b1"], narrowed: ["p-a1"] })) {
  const grants = projects.map((projectId) => {
    return { kind: "project", controlPlane: plane, projectId, role: "reader" } as const;
  });
  identities.words.set(credential, { user: "u-of-both", grants });
}

const refuse = async (): Promise<never> => {
  throw new Error("nothing is erased here");
};
const nothingErased: Erasures = {
  holds: async () => [],
  erasures: async () => [],
  liftHold: async () => undefined,
  placeHold: refuse,
  count: refuse,
  erase: refuse,
};

const nothingPosted = {
  records: 0,
  created: 0,
  folded: 0,
  repeated: 0,
  revised: 0,
  setAside: 0,
  factsOnly: 0,
};

export function nameByMoment(events: readonly TrueEvent[]): (occurredAt: string) => string {
  const names = new Map<number, string>(events.map(({ at, name }) => [at, name]));
  return (occurredAt) => names.get(Date.parse(occurredAt)) ?? `nothing that was stored, at ${occurredAt}`;
}

async function fill(store: Store, events: readonly TrueEvent[]): Promise<void> {
  for (const name of [postedConnection, otherConnection]) {
    await store.events.connect({ name, source: "cloudevents", controlPlane: plane, config: {} });
  }
  await store.events.append({
    connection: otherConnection,
    stream: "main",
    controlPlane: plane,
    events: events.map(({ storable }) => storable),
    facts: factsOf(events),
    rejects: [
      {
        position: "whole-set-aside-place",
        bytes: new TextEncoder().encode('{"whole-set-aside-bytes'),
        meta: {},
        receivedAt: worldEnd,
        code: "record-invalid",
        reason: "whole-set-aside-reason",
      },
    ],
    completeTo: worldEnd,
  });
}

function factsOf(events: readonly TrueEvent[]): StatedFact[] {
  const facts: StatedFact[] = [];
  const say = (from: EntityRef, relation: Relation, to: EntityRef, at = worldStart, holds = true): void => {
    facts.push({ from, relation, to, at, holds, sourceId: `whole-fact-${facts.length}` });
  };
  for (const { domain, project } of [a1, a2, b1, gone]) {
    say({ kind: "project", id: project! }, "part_of", { kind: "domain", id: domain! });
    say({ kind: "project", id: project! }, "named", { kind: "name", id: `called-${project}-` });
    say({ kind: "domain", id: domain! }, "named", { kind: "name", id: `called-${domain}-` });
  }
  for (const { name, at, whose, subject, storable } of events) {
    const place = storable.draft.related.find(({ role }) => role === "host")?.ref ?? subject;
    const residents = whose.is === "shared" ? whose.among.map((owner) => residentOf(name, owner)) : [subject];
    for (const resident of residents) say(resident, "runs_on", place, at);
    if (whose.is === "owned") {
      say(subject, "owned_by", { kind: "project", id: whose.by.project! }, at);
      const address: EntityRef = { kind: "address", id: `address-at-${name}-` };
      say(subject, "has_address", address, at);
      // Nothing keeps its address for long, so that a stretch of one owner has none of another's.
      say(subject, "has_address", address, instant(at + 30_000), false);
    }
  }
  return facts;
}

/** Ids as those are told them who see the event: the provider, and of a shared cause each tenant its own. */
async function listThings(
  store: Store,
  events: readonly TrueEvent[],
): Promise<Pick<MatrixWorld, "things" | "cursor">> {
  const ids = new Map<string, string>();
  let cursor = "";
  const readers = { admin: { kind: "provider" }, a: a1, b: b1 } as const;
  const app = await startApi(store);
  for (const [reader, holder] of Object.entries(readers)) {
    const scope =
      "kind" in holder
        ? ({ kind: "provider", role: "admin" } as const)
        : ({ kind: "project", controlPlane: plane, projectId: holder.project!, role: "admin" } as const);
    const name = `to list as ${reader}`;
    const { id } = await store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
    const page = await getJson<EventsPageJson>(app, "/events?limit=2000", name);
    for (const event of page.events) ids.set(`${reader} ${Date.parse(event.occurred_at)}`, event.id);
    if (reader === "admin")
      cursor = (await getJson<EventsPageJson>(app, "/events?limit=1", name)).next_cursor ?? "";
    await store.tokens.revoke(id);
  }
  await app.close();
  const idAs = (reader: string, { at }: TrueEvent): string => ids.get(`${reader} ${at}`)!;
  const known = events.map((event): Thing => {
    return { name: event.name, event, idOf: "event", id: idAs("admin", event), subject: event.subject };
  });
  const shared = events.find(({ whose }) => whose.is === "shared")!;
  const notices = [a1, b1].map((owner): Thing => ({
    name: `shared, as ${owner.project} is told`,
    event: shared,
    idOf: owner,
    id: idAs(owner === a1 ? "a" : "b", shared),
    subject: residentOf(shared.name, owner),
  }));
  const missing: Thing = {
    name: "missing",
    id: "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    subject: { kind: "server", id: "id-of-nothing" },
  };
  const malformed: Thing = {
    name: "malformed",
    id: "no%20id",
    subject: { kind: "SERVER", id: "%00" },
    malformed: true,
  };
  return { things: [...known, ...notices, missing, malformed], cursor };
}
