import { describe, expect, test } from "vitest";
import { draft, event, minute, project } from "../../test/drafts.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { EventOutcome } from "../store/event-store.ts";
import { createStormGate } from "./storm-fold.ts";

const alerts = (count: number, fields: Partial<EventDraft> = {}) =>
  Array.from({ length: count }, (_, index) =>
    event(draft(`alert-${index}`, 1, { type: "alert.down", kind: "symptom", ...fields }), project("p")),
  );
const outcomeOf = (drafts: readonly EventDraft[], outcome: EventOutcome) =>
  new Map(drafts.map((one) => [one, outcome] as const));

/** How many of the events are of a storm, once they are settled as created. */
function stormOf(
  gate: ReturnType<typeof createStormGate>,
  events: ReturnType<typeof alerts>,
  outcome: EventOutcome = "created",
): number {
  const admitted = gate.admit("am", events);
  admitted.settle(
    outcomeOf(
      events.map((one) => one.draft),
      outcome,
    ),
  );
  return admitted.events.filter(({ storm }) => storm === true).length;
}

describe("the gate of storms", () => {
  test("lets as many events as the threshold stand by themselves, and none more", () => {
    expect(
      stormOf(
        createStormGate(() => 10),
        alerts(10),
      ),
    ).toBe(0);
    expect(
      stormOf(
        createStormGate(() => 10),
        alerts(11),
      ),
    ).toBe(1);
    expect(
      stormOf(
        createStormGate(() => 1),
        alerts(3),
      ),
    ).toBe(2);
  });

  test("folds nothing of many owners who have one event each, however many they are", () => {
    const each = Array.from({ length: 500 }, (_, index) =>
      event(draft(`alert-${index}`, 1, { type: "sla.breached", kind: "symptom" }), project(`p-${index}`)),
    );
    expect(
      stormOf(
        createStormGate(() => 200),
        each,
      ),
    ).toBe(0);
  });

  test("counts over pages, and each type, kind, severity, minute and connection for itself", () => {
    for (const fields of [
      { type: "alert.other" },
      { kind: "recovery" },
      { severity: "critical" },
      { occurredAt: instant(minute(2)) },
      { occurredAt: instant(minute(1) - 1) },
    ] as const) {
      const gate = createStormGate(() => 10);
      expect(stormOf(gate, alerts(10))).toBe(0);
      expect([fields, stormOf(gate, alerts(10, fields))]).toEqual([fields, 0]);
    }
    const gate = createStormGate(() => 10);
    expect(stormOf(gate, alerts(10))).toBe(0);
    expect(stormOf(gate, alerts(1))).toBe(1);
    const elsewhere = gate.admit("another", alerts(10));
    expect(elsewhere.events.every(({ storm }) => storm === undefined)).toBe(true);
    expect(stormOf(gate, alerts(1, { occurredAt: instant(minute(1) + 59_999) }))).toBe(1);
  });

  test("shows less of each type where many types storm at once, and still some of each", () => {
    const gate = createStormGate(() => 100);
    const types = Array.from({ length: 40 }, (_, index) => `alert.${index}`);
    const single = types.map((type) => 90 - stormOf(gate, alerts(90, { type })));
    // Two full thresholds, and from then on a hundredth of one for each type.
    expect(single).toEqual(types.map((_, index) => (index < 2 ? 90 : index === 2 ? 20 : 1)));
  });

  test("never folds what changed, what people did, and reports that have a twin", () => {
    const gate = createStormGate(() => 1);
    expect(stormOf(gate, alerts(5, { kind: "change" }))).toBe(0);
    expect(stormOf(gate, alerts(5, { kind: "human" }))).toBe(0);
    const twin = { group: "g", side: "a", within: 1000 as EventDraft["precision"] };
    expect(stormOf(gate, alerts(5, { twin }))).toBe(0);
    expect(stormOf(gate, alerts(5, { kind: "activity" }))).toBe(4);
  });

  test("never folds where the threshold is 0", () => {
    expect(
      stormOf(
        createStormGate(() => 0),
        alerts(5000),
      ),
    ).toBe(0);
  });

  test("does not count what was delivered before, nor a page that was not stored", () => {
    const gate = createStormGate(() => 10);
    for (let poll = 0; poll < 20; poll++) expect(stormOf(gate, alerts(8), "repeated")).toBe(0);
    for (let attempt = 0; attempt < 20; attempt++) gate.admit("am", alerts(8)).settle();
    expect(stormOf(gate, alerts(10))).toBe(0);
    expect(stormOf(gate, alerts(1))).toBe(1);
  });

  test("counts pages that are under way at once", () => {
    const gate = createStormGate(() => 10);
    const pages = Array.from({ length: 5 }, () => gate.admit("am", alerts(4)));
    const single = pages.flatMap(({ events }) => events).filter(({ storm }) => storm === undefined);
    expect(single).toHaveLength(10);
  });
});
