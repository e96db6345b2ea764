import fc from "fast-check";
import type { EntityRef } from "../../src/model/entity.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { instant, type Instant } from "../../src/model/instant.ts";
import type { StatedFact } from "../../src/store/event-store.ts";
import type { Holding, Owner, Whose, Who } from "./oracle.ts";
import { trueEvent, type TrueEvent } from "./true-event.ts";

/** Made-up clouds: equal names and ids everywhere, two control planes, projects that moved, places that all share. */

export const words = ["amber", "Basalt", "cobalt", "100%_off"] as const;
const visibilities = [
  "operational",
  "operational",
  "operational",
  "billing",
  "security",
  "provider",
] as const;
const kinds = ["change", "symptom", "recovery", "human"] as const;
const severities = ["info", "warning", "error", "critical"] as const;
const types = ["compute.instance.reboot.end", "compute.instance.update", "volume.attach.end"] as const;
const minuteMs = 60_000;

const tenantArbitrary = fc.record({ plane: fc.nat(1), project: fc.nat(2), domain: fc.nat(1) });
const eventArbitrary = fc.record({
  /** Whose it is, and the tenants that it is of or stands between. */
  whose: fc.constantFrom(
    "owned",
    "owned",
    "owned",
    "domain",
    "shared",
    "provider",
    "unresolved",
    "ambiguous",
  ),
  of: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }),
  /** The domain that the project was in just then, which may not be that of today. */
  domain: fc.option(fc.nat(1), { nil: undefined, freq: 4 }),
  visibility: fc.constantFrom(...visibilities),
  resource: fc.nat(2),
  host: fc.nat(1),
  kind: fc.constantFrom(...kinds),
  severity: fc.constantFrom(...severities),
  type: fc.constantFrom(...types),
  word: fc.constantFrom(...words),
  gapMs: fc.integer({ min: 1, max: 90_000 }),
});
const stormArbitrary = fc.record({
  of: fc.nat(5),
  visibility: fc.constantFrom("operational", "security"),
  count: fc.integer({ min: 2, max: 5 }),
});
const queryArbitrary = fc.record({
  route: fc.constantFrom(
    "list",
    "list",
    "list",
    "list",
    "histogram",
    "what-else",
    "resource",
    "event",
    "ownership",
    "members",
  ),
  by: fc.nat(20),
  thing: fc.nat(40),
  limit: fc.integer({ min: 1, max: 6 }),
  order: fc.constantFrom("newest", "oldest"),
  from: fc.option(fc.nat(12), { nil: undefined, freq: 2 }),
  to: fc.option(fc.nat(12), { nil: undefined, freq: 2 }),
  kind: fc.option(fc.constantFrom(...kinds), { nil: undefined, freq: 3 }),
  severity: fc.option(fc.constantFrom(...severities), { nil: undefined, freq: 3 }),
  type: fc.option(fc.constantFrom(...types, "compute.*", "volume.attach.*", "host.*", "none"), {
    nil: undefined,
    freq: 3,
  }),
  q: fc.option(fc.constantFrom(...words, "AMBER", "asal", "%", "_", "srv-1", "p-1", "whole-"), {
    nil: undefined,
    freq: 3,
  }),
  resource: fc.option(fc.constantFrom("server/srv-0", "server/srv-1", "host/host-0", "volume/srv-1"), {
    nil: undefined,
    freq: 4,
  }),
  project: fc.option(fc.constantFrom("p-0", "p-1", "p-2"), { nil: undefined, freq: 4 }),
  tenant: fc.option(fc.constantFrom("d-0", "d-1"), { nil: undefined, freq: 4 }),
});

export const queriesPerWorld = 30;
export const worldArbitrary = fc.record({
  tenants: fc.uniqueArray(tenantArbitrary, {
    minLength: 2,
    maxLength: 6,
    selector: ({ plane, project }) => `${plane} ${project}`,
  }),
  events: fc.array(eventArbitrary, { minLength: 4, maxLength: 12 }),
  storms: fc.array(stormArbitrary, { maxLength: 1 }),
  /** Tenants of one customer. */
  members: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }),
  role: fc.constantFrom("reader", "admin"),
  queries: fc.array(queryArbitrary, { minLength: queriesPerWorld, maxLength: queriesPerWorld }),
});

export type WorldPlan = typeof worldArbitrary extends fc.Arbitrary<infer Plan> ? Plan : never;
export type QueryPlan = WorldPlan["queries"][number];

/** Events of one minute that the store folds into one. */
export interface TrueStorm {
  readonly members: readonly TrueEvent[];
  readonly from: Instant;
  readonly to: Instant;
}

export interface World {
  readonly number: number;
  readonly planes: readonly [string, string];
  readonly owners: readonly Owner[];
  readonly events: readonly TrueEvent[];
  readonly storms: readonly TrueStorm[];
  /** One for each tenant, told after all else. */
  readonly sentinels: readonly TrueEvent[];
  readonly from: Instant;
  /** Before any storm. */
  readonly calmTo: Instant;
  readonly to: Instant;
  readonly customer: { readonly id: string; readonly owners: readonly Owner[] };
  readonly askers: readonly Asker[];
  readonly factsOf: (plane: string) => readonly StatedFact[];
}

/** Somebody who asks in a world. */
export interface Asker {
  readonly name: string;
  readonly who: Who;
}

const firstWorld = Date.parse("2026-01-05T00:00:00Z");
const worldMs = 60 * minuteMs;
export const planesOf = (number: number): readonly [string, string] => [`east-${number}`, `west-${number}`];

/** The plan as the `number`-th world of a store, apart from all others in its control planes and its hour. */
export function buildWorld(plan: WorldPlan, number: number): World {
  const from = instant(firstWorld + number * worldMs);
  const planes = planesOf(number);
  const owners = plan.tenants.map(({ plane, project, domain }): Owner => ({
    plane: planes[plane]!,
    domain: `d-${domain}`,
    project: `p-${project}`,
  }));
  const ownerAt = (index: number): Owner => owners[index % owners.length]!;
  let at: number = from;
  const events = plan.events.map((event, index) => {
    at += event.gapMs;
    return buildEvent(event, instant(at), `w${number}e${index}`, ownerAt);
  });
  const calmTo = instant(from + 30 * minuteMs);
  const storms = plan.storms.map((storm, index): TrueStorm => {
    const begins = calmTo + index * minuteMs;
    const members = Array.from({ length: storm.count }, (_, member) => {
      const name = `w${number}s${index}m${member}`;
      return buildMember(storm.visibility, ownerAt(storm.of), name, instant(begins + member * 1000));
    });
    return { members, from: instant(begins), to: instant(begins + minuteMs) };
  });
  const sentinels = owners.map((owner, index) =>
    trueEvent({
      name: `w${number}last${index}`,
      at: instant(from + 50 * minuteMs + index),
      whose: { is: "owned", by: owner },
      visibility: "operational",
    }),
  );
  const members = [...new Set(plan.members.map(ownerAt))];
  return {
    number,
    planes,
    owners,
    events,
    storms,
    sentinels,
    from,
    calmTo,
    to: instant(from + worldMs),
    customer: { id: `c-${number}`, owners: members },
    askers: askersOf(owners, members, plan.role),
    factsOf: (plane) => factsOf(owners, plane, from),
  };
}

function buildEvent(
  plan: WorldPlan["events"][number],
  at: Instant,
  name: string,
  ownerAt: (index: number) => Owner,
): TrueEvent {
  const among = [...new Set(plan.of.map(ownerAt))];
  const then = (owner: Owner): Owner =>
    plan.domain === undefined ? owner : { ...owner, domain: `d-${plan.domain}` };
  const first = among[0]!;
  // All who stand on one place do so on one control plane.
  const near = among.filter(({ plane }) => plane === first.plane).map(then);
  const whose = ((): Whose => {
    switch (plan.whose) {
      case "owned":
        return { is: "owned", by: then(first) };
      case "domain":
        return { is: "owned", by: { plane: first.plane, domain: then(first).domain! } };
      case "shared":
        return { is: "shared", among: near };
      default:
        return { is: plan.whose };
    }
  })();
  const subject: EntityRef = { kind: "server", id: `srv-${plan.resource}` };
  const fields: Partial<EventDraft> = {
    kind: plan.kind,
    severity: plan.severity,
    summary: `whole-${name}-summary with ${plan.word}`,
    ...(whose.is === "shared" ? {} : { type: plan.type, subjectName: `shown-${name}-name of ${plan.word}` }),
  };
  return trueEvent({
    name,
    at,
    whose,
    visibility: plan.visibility,
    subject,
    place: `host-${plan.host}`,
    candidates: near,
    fields,
  });
}

function buildMember(
  visibility: "operational" | "security",
  owner: Owner,
  name: string,
  at: Instant,
): TrueEvent {
  const event = trueEvent({
    name,
    at,
    whose: { is: "owned", by: owner },
    visibility,
    fields: { type: "alert.Storm.firing", kind: "symptom", category: "monitoring", severity: "critical" },
  });
  return { ...event, storable: { ...event.storable, storm: true } };
}

/** A reader and an administrator of a project, both of a domain, a customer's, and the provider's. */
function askersOf(
  owners: readonly Owner[],
  members: readonly Owner[],
  role: Holding["role"],
): readonly Asker[] {
  const first = owners[0]!;
  const last = owners.at(-1)!;
  const tenant = (name: string, ...holdings: readonly Holding[]): Asker => ({
    name,
    who: { kind: "tenant", holdings },
  });
  return [
    tenant("project reader", { on: "project", plane: first.plane, id: first.project!, role: "reader" }),
    tenant("project admin", { on: "project", plane: last.plane, id: last.project!, role: "admin" }),
    tenant("domain reader", { on: "domain", plane: last.plane, id: last.domain!, role: "reader" }),
    tenant("domain admin", { on: "domain", plane: first.plane, id: first.domain!, role: "admin" }),
    tenant(
      "customer",
      ...members.map(({ plane, project }): Holding => ({ on: "project", plane, id: project!, role })),
    ),
    { name: "provider admin", who: { kind: "provider", role: "admin" } },
    { name: "provider operator", who: { kind: "provider", role: "operator" } },
  ];
}

/** Every project is called the same, and so is every domain. */
function factsOf(owners: readonly Owner[], plane: string, at: Instant): readonly StatedFact[] {
  return owners
    .filter((owner) => owner.plane === plane)
    .flatMap(({ domain, project }): StatedFact[] => {
      const [from, to]: readonly EntityRef[] = [
        { kind: "project", id: project! },
        { kind: "domain", id: domain! },
      ];
      const told = { at, holds: true, sourceId: `fact of ${project}` } as const;
      return [
        { from: from!, relation: "part_of", to: to!, ...told },
        { from: from!, relation: "named", to: { kind: "name", id: "prod" }, ...told },
        { from: to!, relation: "named", to: { kind: "name", id: "acme" }, ...told },
      ];
    });
}
