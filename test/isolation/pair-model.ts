import fc from "fast-check";
import type { EntityRef } from "../../src/model/entity.ts";
import { instant, type Instant } from "../../src/model/instant.ts";
import type { Hole } from "../../src/model/source-health.ts";
import type { Relation } from "../../src/model/topology.ts";
import type { Reject, StatedFact, StorableEvent } from "../../src/store/event-store.ts";
import { residentOf, trueEvent, type EventSpec } from "./true-event.ts";
import type { Owner, Whose } from "./oracle.ts";

/**
 * Two worlds in which tenant A sees the same, and all else may differ: what others own, what the provider knows of A's
 * own events, what waits, what was set aside, who else stood on a place, and in which order all of it came.
 */

const hiddenKinds = [
  "others",
  "others",
  "others' storm",
  "provider",
  "unresolved",
  "ambiguous",
  "secret",
  "provider's class",
  "reject",
  "facts",
  "token",
  "elsewhere",
] as const;

const hiddenArbitrary = fc.record({
  kind: fc.constantFrom(...hiddenKinds),
  /** Before which of A's pages it comes, or within it. */
  slot: fc.nat(3),
  within: fc.boolean(),
  minute: fc.nat(59),
  /** An id that A's own things have too. */
  resource: fc.nat(2),
  count: fc.integer({ min: 2, max: 4 }),
});
const worldArbitrary = fc.record({
  hidden: fc.array(hiddenArbitrary, { maxLength: 8 }),
  /** What the provider alone is told of A's own events. */
  withheld: fc.stringMatching(/^[a-z]{1,12}$/),
  /** Whether others stood on the shared place. */
  neighbours: fc.nat(2),
  /** What its new owner calls the project that A's domain had once. */
  newName: fc.stringMatching(/^[a-z]{1,8}$/),
  /** How often B asks before A does. */
  asked: fc.nat(4),
});
export const pairArbitrary = fc.record({
  own: fc.array(
    fc.record({
      what: fc.constantFrom("own", "own", "own", "domain", "shared", "moved", "storm", "billing"),
      minute: fc.nat(59),
      resource: fc.nat(2),
      page: fc.nat(2),
      severity: fc.constantFrom("info", "warning", "critical"),
    }),
    { minLength: 3, maxLength: 8 },
  ),
  left: worldArbitrary,
  right: worldArbitrary,
});
export type PairPlan = typeof pairArbitrary extends fc.Arbitrary<infer Plan> ? Plan : never;
export type SidePlan = PairPlan["left"];

/** A page as it arrives at the store, or something else that happens there. */
export type Step =
  | {
      readonly does: "page";
      readonly plane: string;
      readonly events: readonly StorableEvent[];
      readonly facts: readonly StatedFact[];
      readonly rejects: readonly Reject[];
      readonly holes: readonly Hole[];
    }
  | { readonly does: "token"; readonly name: string };

/** One side of a pair, ready to be told. */
export interface Side {
  readonly plane: string;
  readonly elsewhere: string;
  readonly steps: readonly Step[];
  /** What A is told while it follows: its own event amid others'. */
  readonly later: readonly Step[];
  readonly asked: number;
}

const begin = Date.parse("2026-03-01T00:00:00Z");

export function buildSide(plan: PairPlan, plane: string, which: "left" | "right"): Side {
  const side = plan[which];
  const cloud = new SideBuilder(plane, side);
  const pages = [0, 1, 2].map((page) =>
    plan.own.flatMap((own, index) => (own.page === page ? cloud.own(own, index) : [])),
  );
  const steps: Step[] = [cloud.page([], { facts: cloud.tenantFacts() })];
  for (let slot = 0; slot <= pages.length; slot += 1) {
    const hidden = side.hidden.filter((one) => one.slot === slot);
    const within: StorableEvent[] = [];
    for (const [index, one] of hidden.entries()) {
      const step = cloud.hide(one, `${which}${slot}h${index}`);
      // In A's own page, before and after what A sees.
      if (one.within && slot < pages.length && step.does === "page" && step.plane === plane) {
        within.push(...step.events);
        steps.push({ ...step, events: [] });
      } else steps.push(step);
    }
    const half = Math.floor(within.length / 2);
    const own = pages[slot];
    if (own !== undefined)
      steps.push(cloud.page([...within.slice(0, half), ...own, ...within.slice(half)], {}));
  }
  const marker = cloud.own({ what: "own", minute: 59, resource: 0, page: 0, severity: "info" }, 90);
  return {
    plane,
    elsewhere: `${plane}-elsewhere`,
    steps,
    later: [
      cloud.hide({ ...hiddenLater, kind: "others" }, `${which}later0`),
      cloud.page(marker, {}),
      cloud.hide({ ...hiddenLater, kind: "provider" }, `${which}later1`),
    ],
    asked: side.asked,
  };
}

const hiddenLater = { slot: 0, within: false, minute: 58, resource: 0, count: 2 } as const;

/** Events and facts of one side; what A sees of them never depends on the side. */
class SideBuilder {
  readonly #plane: string;
  readonly #plan: SidePlan;
  readonly #a: Owner;
  readonly #b: Owner;

  constructor(plane: string, plan: SidePlan) {
    this.#plane = plane;
    this.#plan = plan;
    this.#a = { plane, domain: "d-a", project: "p-a" };
    this.#b = { plane, domain: "d-b", project: "p-b" };
  }

  page(
    events: readonly StorableEvent[],
    { facts = [], rejects = [] }: { facts?: readonly StatedFact[]; rejects?: readonly Reject[] },
  ): Step & { does: "page" } {
    return { does: "page", plane: this.#plane, events, facts, rejects, holes: [] };
  }

  own(own: PairPlan["own"][number], index: number): readonly StorableEvent[] {
    const at = begin + own.minute * 60_000 + index;
    const name = `own${index}`;
    const subject: EntityRef = { kind: "server", id: `srv-${own.resource}` };
    const common = { at: instant(at), visibility: "operational", subject } as const;
    const { severity } = own;
    switch (own.what) {
      case "shared":
        return [this.#shared(name, common.at)];
      case "storm":
        return [0, 1, 2].map((member) => {
          const type = "alert.Own.firing";
          const fields = { type, kind: "symptom", category: "monitoring", severity: "critical" } as const;
          const one = { ...common, at: instant(at + member), fields, name: `${name}m${member}` };
          return { ...this.#event({ ...one, whose: { is: "owned", by: this.#a } }), storm: true } as const;
        });
      case "billing":
        return [
          this.#event({
            ...common,
            name,
            visibility: "billing",
            whose: { is: "owned", by: this.#a },
            fields: { severity },
          }),
        ];
      default:
        return [this.#event({ ...common, name, whose: this.#whoseOwn(own.what), fields: { severity } })];
    }
  }

  #whoseOwn(what: "own" | "domain" | "moved"): Whose {
    const { plane, domain } = this.#a;
    if (what === "domain") return { is: "owned", by: { plane, domain: domain! } };
    return { is: "owned", by: what === "own" ? this.#a : { ...this.#a, project: "p-moved" } };
  }

  /** The neighbours are the others', and A must not feel them. */
  #shared(name: string, at: Instant): StorableEvent {
    const neighbours = Array.from({ length: this.#plan.neighbours }, (_, index) => ({
      ...this.#b,
      project: `p-b${index}`,
    }));
    return this.#event({
      name,
      at,
      visibility: "provider",
      whose: { is: "shared", among: [...neighbours.slice(1), this.#a, ...neighbours.slice(0, 1)] },
      // The alias of a place is made of its name, which is the same place on both sides.
      place: "host-that-is-shared",
    });
  }

  /** With words that only the provider reads, other ones on each side. */
  #event(spec: EventSpec): StorableEvent {
    const { withheld } = this.#plan;
    const event = trueEvent({
      ...spec,
      place: spec.place ?? `host-${withheld}`,
      fields: {
        actor: { userName: withheld, userId: `user-${withheld}` },
        summary: `the provider says ${withheld}`,
        details: { payload: { node: withheld }, more: withheld.length },
        operation: { requestId: `req-${withheld}` },
        changes: [{ field: "host", before: withheld, after: null }],
        ...spec.fields,
      },
    });
    return event.storable;
  }

  hide(hidden: SidePlan["hidden"][number], name: string): Step {
    const at = instant(begin + hidden.minute * 60_000 + 500);
    const subject: EntityRef = { kind: "server", id: `srv-${hidden.resource}` };
    const make = (whose: Whose, more: Partial<EventSpec> = {}): Step =>
      this.page([this.#event({ name, at, subject, visibility: "operational", whose, ...more })], {});
    switch (hidden.kind) {
      case "others":
        return make({ is: "owned", by: this.#b });
      case "others' storm":
        return this.#othersStorm(hidden.count, name, at);
      case "ambiguous":
        return make({ is: "ambiguous" }, { candidates: [this.#a, this.#b] });
      case "provider":
      case "unresolved":
        return make({ is: hidden.kind });
      case "secret":
        // Of another project of the domain, whose administrator none of A is.
        return make({ is: "owned", by: { ...this.#a, project: "p-a2" } }, { visibility: "security" });
      case "provider's class":
        return make({ is: "owned", by: this.#a }, { visibility: "provider" });
      case "reject":
        return this.page([], { rejects: [rejectOf(name, at)] });
      case "facts":
        return this.page([], { facts: this.#othersFacts(name, at) });
      case "token":
        return { does: "token", name: `${name} of ${this.#plane}` };
      case "elsewhere":
        return this.#elsewhere(name, at, subject);
    }
  }

  #othersStorm(count: number, name: string, at: Instant): Step {
    const fields = { type: "alert.Others.firing", kind: "symptom", category: "monitoring" } as const;
    const members = Array.from({ length: count }, (_, index): StorableEvent => ({
      ...this.#event({
        name: `${name}m${index}`,
        at: instant(at + index),
        visibility: "operational",
        whose: { is: "owned", by: this.#b },
        fields,
      }),
      storm: true,
    }));
    return this.page(members, {});
  }

  /** The same ids on another control plane are other things. */
  #elsewhere(name: string, at: Instant, subject: EntityRef): Step {
    const plane = `${this.#plane}-elsewhere`;
    const by = { ...this.#a, plane };
    const event = this.#event({ name, at, subject, visibility: "operational", whose: { is: "owned", by } });
    const hole: Hole = {
      from: at,
      to: instant(at + 60_000),
      reason: "place-lost",
      says: `${name} lost its place.`,
    };
    return { ...this.page([event], {}), plane, holes: [hole] };
  }

  #othersFacts(name: string, at: Instant): readonly StatedFact[] {
    const server: EntityRef = { kind: "server", id: `srv-of-b-${name}` };
    const host: EntityRef = { kind: "host", id: "host-that-is-shared" };
    return [
      say(server, "owned_by", { kind: "project", id: "p-b" }, at, name),
      say(server, "runs_on", host, at, name),
      say({ kind: "project", id: `p-new-${name}` }, "part_of", { kind: "domain", id: "d-b" }, at, name),
      say({ kind: "project", id: `p-new-${name}` }, "named", { kind: "name", id: "prod" }, at, name),
    ];
  }

  /** Equal names everywhere; the project that was moved is called what its new owner likes. */
  tenantFacts(): readonly StatedFact[] {
    const at = instant(begin);
    const moved = instant(begin + 3_600_000);
    const later = instant(moved + 1);
    const project = (id: string): EntityRef => ({ kind: "project", id });
    const domain = (id: string): EntityRef => ({ kind: "domain", id });
    const name = (id: string): EntityRef => ({ kind: "name", id });
    const told = [
      ...(["a", "b"] as const).flatMap((one) => [
        say(project(`p-${one}`), "part_of", domain(`d-${one}`), at, "facts"),
        say(project(`p-${one}`), "named", name("prod"), at, "facts"),
        say(domain(`d-${one}`), "named", name("acme"), at, "facts"),
      ]),
      say(project("p-moved"), "part_of", domain("d-a"), at, "facts"),
      say(project("p-moved"), "named", name("before"), at, "facts"),
      say(project("p-moved"), "part_of", domain("d-b"), moved, "facts"),
      say(project("p-moved"), "named", name(this.#plan.newName), later, "facts"),
      say({ kind: "server", id: "srv-0" }, "owned_by", project("p-a"), at, "facts"),
      say(residentOf("own0", this.#a), "runs_on", { kind: "host", id: "host-that-is-shared" }, at, "facts"),
    ];
    return told;
  }
}

function say(from: EntityRef, relation: Relation, to: EntityRef, at: Instant, by: string): StatedFact {
  return { from, relation, to, at, holds: true, sourceId: `${by} says ${relation} of ${from.id}` };
}

function rejectOf(name: string, receivedAt: Instant): Reject {
  return {
    position: `line ${name}`,
    bytes: new TextEncoder().encode(`{"broken ${name}`),
    meta: {},
    receivedAt,
    code: "record-invalid",
    reason: "The record is cut short.",
  };
}
