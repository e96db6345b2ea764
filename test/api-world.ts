import { createHash } from "node:crypto";
import type { EntityRef, Related } from "../src/model/entity.ts";
import type { Attribution, EventDraft, TenantEdition } from "../src/model/event.ts";
import { duration, instant, type Instant } from "../src/model/instant.ts";
import type { TenantRef } from "../src/model/tenant.ts";
import type { Relation } from "../src/model/topology.ts";
import type { StatedFact, StorableEvent } from "../src/store/event-store.ts";
import type { Store } from "../src/store/store.ts";
import type { TokenScope } from "../src/store/token-store.ts";

/** A small estate for the API's tests: two domains, three projects, one shared host, and words to look for. */
export const controlPlane = "region-1";
export const connection = "canary-connection@region-1";
export const worldStart = instant(Date.parse("2026-11-20T10:00:00Z"));
export const worldEnd = instant(Date.parse("2026-11-20T12:00:00Z"));

export const north = { controlPlane, domainId: "d-north" };
export const prod = { ...north, projectId: "p-prod" };
export const dev = { ...north, projectId: "p-dev" };
export const south = { controlPlane, domainId: "d-south", projectId: "p-south" };

export const web: EntityRef = { kind: "server", id: "srv-web-1" };
export const southServer: EntityRef = { kind: "server", id: "srv-south-1" };
export const host: EntityRef = { kind: "host", id: "canary-host-7" };

/** Words that only the provider may ever read. */
export const canaries = ["canary-", "203.0.113.77"];

/** The n-th token of the tests, well-formed and worthless. */
export function tokenText(name: string): string {
  return `iso_${createHash("sha256").update(name).digest("base64url")}`;
}

export const tokenScopes: Readonly<Record<string, TokenScope>> = {
  provider: { kind: "provider" },
  north: { kind: "domain", ...north },
  prod: { kind: "project", controlPlane, projectId: prod.projectId },
  south: { kind: "project", controlPlane, projectId: south.projectId },
  ingest: { kind: "ingest", connection },
  any: { kind: "ingest", connection: "any" },
};

/** Fills an empty store; the events come in one page, two minutes apart. */
export async function fillWorld(store: Pick<Store, "events" | "tokens">): Promise<void> {
  await store.events.connect({
    name: connection,
    source: "openstack-notifications",
    controlPlane,
    config: {},
  });
  const reject = {
    position: "line 99",
    bytes: new TextEncoder().encode('{"broken'),
    meta: {},
    receivedAt: worldEnd,
    code: "record-invalid",
    reason: "The record is cut short.",
  };
  await appendEvents(store, worldEvents(), { facts: worldFacts(), rejects: [reject], completeTo: worldEnd });
  for (const [name, scope] of Object.entries(tokenScopes)) {
    await store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
  }
}

export function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

export async function appendEvents(
  store: Pick<Store, "events">,
  events: readonly StorableEvent[],
  more: Partial<Parameters<Store["events"]["append"]>[0]> = {},
): Promise<void> {
  const page = { connection, stream: "main", controlPlane, facts: [], rejects: [], cursor: 1 };
  await store.events.append({ ...page, events, ...more });
}

function worldEvents(): StorableEvent[] {
  const events: StorableEvent[] = [];
  const at = (index: number): Instant => instant(worldStart + index * 120_000);
  for (let index = 0; index < 24; index++) events.push(ownedEvent(prod, web, `e-prod-${index}`, at(index)));
  for (let index = 0; index < 9; index++) {
    events.push(ownedEvent(dev, { kind: "volume", id: `vol-${index}` }, `e-dev-${index}`, at(index)));
  }
  for (let index = 0; index < 15; index++) {
    events.push(ownedEvent(south, southServer, `e-south-${index}`, at(index)));
  }
  return [
    ...events,
    sharedEvent("e-shared", at(30)),
    oddEvent("e-provider", at(31), { status: "provider", evidence: [] }),
    oddEvent("e-ambiguous", at(32), { status: "ambiguous", candidates: [prod, south], evidence: [] }),
    oddEvent("e-unresolved", at(33), { status: "unresolved", evidence: [] }),
  ];
}

export function draftOf(key: string, subject: EntityRef, occurredAt: Instant): EventDraft {
  return {
    key: `canary-key-${key}`,
    sourceIds: [`canary-source-id-${key}`],
    occurredAt,
    precision: duration(0),
    type: "compute.instance.reboot.end",
    kind: "change",
    category: "lifecycle",
    phase: "end",
    severity: "info",
    visibility: "operational",
    subject,
    subjectName: `name of ${subject.id}`,
    related: [{ role: "host", ref: host }],
    actor: { userName: "canary-operator", address: "203.0.113.77" },
    operation: { requestId: `req-${key}` },
    summary: `${key} was rebooted by canary-operator`,
    details: { flavor: "m1.small", node: "canary-node" },
    changes: [{ field: "state", before: "canary-before", after: "active" }],
  };
}

export function ownedEvent(tenant: TenantRef, subject: EntityRef, key: string, at: Instant): StorableEvent {
  const draft = draftOf(key, subject, at);
  const evidence = {
    rule: "stated-owner/1",
    verdict: "accepted",
    confidence: "exact",
    says: "payload.tenant_id says so.",
    source: { connection, sourceId: `canary-source-id-${key}` },
  } as const;
  const related: Related[] = [{ role: "flavor", ref: { kind: "flavor", id: "f-1" } }];
  return {
    draft,
    attribution: { status: "owned", tenant, evidence: [evidence] },
    dependsOn: [],
    editions: [editionOf(draft, tenant, { notice: false, subject, related })],
  };
}

function sharedEvent(key: string, at: Instant): StorableEvent {
  const draft: EventDraft = {
    ...draftOf(key, host, at),
    type: "host.down",
    kind: "symptom",
    severity: "critical",
  };
  const affected = [
    { tenant: prod, resources: [web] },
    { tenant: south, resources: [southServer] },
  ];
  const editions = affected.map(({ tenant, resources: [subject = web] }) => {
    return editionOf(draft, tenant, { notice: true, type: "platform.effect", subject, related: [] });
  });
  return { draft, attribution: { status: "shared", affected, evidence: [] }, dependsOn: [], editions };
}

function editionOf(
  draft: EventDraft,
  tenant: TenantRef,
  own: Pick<TenantEdition, "notice" | "subject" | "related"> & { type?: string },
): TenantEdition {
  const { phase, kind, category, severity, visibility, operation } = draft;
  return {
    tenant,
    type: draft.type,
    kind,
    category,
    severity,
    visibility,
    ...(phase === undefined ? {} : { phase }),
    ...(operation === undefined ? {} : { operation }),
    because: `Shown because it concerns ${own.subject.id}.`,
    summary: `${own.subject.id} was rebooted`,
    details: { flavor: "m1.small" },
    ...own,
  };
}

function oddEvent(key: string, at: Instant, attribution: Attribution): StorableEvent {
  return { draft: draftOf(key, host, at), attribution, dependsOn: [], editions: [] };
}

function worldFacts(): StatedFact[] {
  const facts: StatedFact[] = [];
  const say = (from: EntityRef, relation: Relation, to: EntityRef, minute = 0): void => {
    const at = instant(worldStart + minute * 60_000);
    facts.push({ from, relation, to, at, holds: true, sourceId: `fact-${facts.length}` });
  };
  const domain = (id: string): EntityRef => ({ kind: "domain", id });
  const project = (id: string): EntityRef => ({ kind: "project", id });
  const name = (id: string): EntityRef => ({ kind: "name", id });
  say(domain("d-north"), "named", name("northwind"));
  say(domain("d-south"), "named", name("southridge"));
  for (const [id, domainId, label] of [
    ["p-prod", "d-north", "prod"],
    ["p-dev", "d-north", "dev"],
    ["p-south", "d-south", "payroll"],
  ] as const) {
    say(project(id), "part_of", domain(domainId));
    say(project(id), "named", name(label));
  }
  say(web, "owned_by", project("p-prod"));
  say(southServer, "owned_by", project("p-south"));
  say(web, "runs_on", host);
  say(web, "runs_on", { kind: "host", id: "canary-host-8" }, 60);
  say(southServer, "runs_on", host);
  return facts;
}
