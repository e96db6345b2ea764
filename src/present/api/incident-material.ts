import type { CoverageHole, DossierEvent, DossierMaterial } from "../../correlate/incident-dossier.ts";
import { collectIdentifiers } from "../../correlate/incident-leak.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Incident } from "../../model/incident.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { tenantKey, type TenantKey } from "../../model/tenant.ts";
import type { ApiContext } from "./api-context.ts";
import type { TenantList } from "./tenant-directory.ts";

type Parts = Pick<ApiContext, "store" | "directory" | "clock">;

/** What every provider may read: what is frozen must not differ by who publishes it. */
export const openScope: Scope = { kind: "provider", security: "withheld" };

/** Events looked at about one measured thing, and things that are looked at. */
const aroundMax = 400;
const thingsMax = 40;
/** So far before the window causes are looked for, and so far after it recoveries. */
const marginMs = 6 * 3_600_000;

/** All that a dossier is made of, as the reader's own scope gives it. */
export async function gatherMaterial(
  parts: Parts,
  scope: Scope,
  incident: Incident,
): Promise<DossierMaterial> {
  const [pins, around, coverage, tenants] = await Promise.all([
    readPins(parts, scope, incident),
    readAround(parts, scope, incident),
    parts.store.reader.coverage(scope),
    parts.directory.list(),
  ]);
  const to = incident.window.to ?? parts.clock();
  const holes = coverage.connections.flatMap(({ connection, holes: own }): readonly CoverageHole[] =>
    own
      .filter((hole) => hole.from < to && hole.to > incident.window.from)
      .map(({ from, to: until, says }) => ({ connection, from, to: until, says })),
  );
  return { incident, pins, around, holes, knownNames: namesOf(tenants), asOf: parts.clock() };
}

/** Pinned events by their ids; who may not read one is told that it is there, since somebody who may has pinned it. */
async function readPins(
  { store }: Parts,
  scope: Scope,
  { pins }: Incident,
): Promise<ReadonlyMap<string, DossierEvent | "withheld">> {
  const found = new Map<string, DossierEvent | "withheld">();
  for (const { event: id } of pins) {
    const seen = await store.reader.event(scope, id);
    if (seen !== undefined) found.set(id, seen.event);
    else if (await isWithheld(store, scope, id)) found.set(id, "withheld");
  }
  return found;
}

async function isWithheld({ reader }: Parts["store"], scope: Scope, id: string): Promise<boolean> {
  if (scope.kind !== "provider" || scope.security !== "withheld") return false;
  return (await reader.event({ kind: "provider" }, id)) !== undefined;
}

/**
 * The material of what is about to be told, in which nothing withheld stands, but for whom and what it names: no text for
 * others may hold that either.
 */
export async function gatherTelling(parts: Parts, incident: Incident): Promise<DossierMaterial> {
  const material = await gatherMaterial(parts, openScope, incident);
  const hidden = new Map<string, DossierEvent>();
  for (const [id, seen] of material.pins) {
    const event = seen === "withheld" ? await parts.store.reader.event({ kind: "provider" }, id) : undefined;
    if (event !== undefined) hidden.set(id, event.event);
  }
  const { identifiers } = collectIdentifiers({ ...material, pins: hidden, around: [] });
  return { ...material, knownNames: [...(material.knownNames ?? []), ...identifiers] };
}

async function readAround(
  { store, clock }: Parts,
  scope: Scope,
  { window, things }: Incident,
): Promise<readonly DossierEvent[]> {
  const from = instant(window.from - marginMs);
  const to = instant(Math.min((window.to ?? clock()) + marginMs, clock() + 1));
  if (from >= to) return [];
  const found = new Map<string, DossierEvent>();
  for (const { ref } of things.slice(0, thingsMax)) {
    if (ref === undefined) continue;
    const filter = { from, to, resource: ref };
    const { events } = await store.reader.timeline(scope, filter, { limit: aroundMax, order: "oldest" });
    for (const { event } of events) found.set(event.id, event);
  }
  return [...found.values()];
}

/** Names that every cloud has and that are words of every day. */
const everydayNames = new Set([
  "admin",
  "default",
  "demo",
  "heat",
  "public",
  "service",
  "services",
  "system",
  "test",
]);

/** What tenants are called: nothing of it may stand in a text for others. */
function namesOf(tenants: TenantList): readonly string[] {
  const names = tenants.all.flatMap(({ projectId, domainId, name }) => [projectId, domainId, name]);
  const given = names.filter((name) => name !== undefined);
  return [...new Set(given)].filter((name) => !everydayNames.has(name.toLowerCase()));
}

/** What one tenant is shown of each pinned event, by the pin; of the class security nothing, since all its readers are told. */
export async function readTenantEditions(
  { store }: Parts,
  { pins }: Incident,
  tenant: TenantKey,
): Promise<ReadonlyMap<string, DossierEvent>> {
  const found = new Map<string, DossierEvent>();
  for (const { event: id } of pins) {
    const seen = await store.reader.event(openScope, id);
    if (seen?.audience !== "provider") continue;
    const { editions } = await store.reader.editions(openScope, seen.event, editionsMax);
    const own = editions.find((one) => isToldTo(seen.event, one, tenant));
    if (own !== undefined) found.set(id, own);
  }
  return found;
}

const editionsMax = 2_000;

function isToldTo(
  { visibility }: StoredEvent,
  edition: { readonly notice: boolean; readonly tenant: Parameters<typeof tenantKey>[0] },
  tenant: TenantKey,
): boolean {
  if (tenantKey(edition.tenant) !== tenant) return false;
  return (
    visibility === "operational" || visibility === "billing" || (visibility === "provider" && edition.notice)
  );
}
