import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controlPlane, fillWorld, worldStart } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { categories, eventKinds, severities } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, exceptKey, projectKey } from "../../model/tenant.ts";
import type { EventFilter } from "../../store/event-reader.ts";
import { canonicalFilter, parseResource, passesFilter } from "./event-filter.ts";

let database: TestStore;

beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
});

afterAll(() => database.close());

const moment = fc.integer({ min: -5, max: 70 }).map((minutes) => instant(worldStart + minutes * 60_000));
const some = <T>(...words: T[]) => fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 });
const filters: fc.Arbitrary<EventFilter> = fc.record(
  {
    from: moment,
    to: moment,
    domainId: fc.constantFrom("d-north", "d-south", "none"),
    projectId: fc.constantFrom("p-prod", "p-dev", "p-south", "none"),
    customer: some(
      domainKey(controlPlane, "d-north"),
      domainKey(controlPlane, "d-south"),
      domainKey("elsewhere", "d-north"),
      projectKey(controlPlane, "p-dev"),
      projectKey(controlPlane, "p-south"),
      projectKey("elsewhere", "p-prod"),
      exceptKey(projectKey(controlPlane, "p-prod")),
      exceptKey(projectKey(controlPlane, "p-south")),
      exceptKey(projectKey("elsewhere", "p-dev")),
    ).map((keys) => ({ id: "customer", keys })),
    resource: fc.constantFrom(
      { kind: "server", id: "srv-web-1" },
      { kind: "host", id: "canary-host-7" },
      { kind: "flavor", id: "f-1" },
      { kind: "request", id: "req-e-prod-3" },
    ),
    kinds: some(...eventKinds),
    categories: some(...categories),
    types: some("compute.instance.*", "host.down", "*", "platform.effect", "compute"),
    severity: fc.constantFrom(...severities),
    text: fc.constantFrom("WEB", "e-dev-1", "canary", "p-prod", "%", "reboot", "203.0.113", "f-1", "d-south"),
  },
  { requiredKeys: [] },
);

describe("an event that arrives live", () => {
  const scopes: readonly Scope[] = [
    { kind: "provider" },
    {
      kind: "tenant",
      label: "north",
      keys: [
        domainKey(controlPlane, "d-north"),
        projectKey(controlPlane, "p-prod"),
        projectKey(controlPlane, "p-dev"),
      ],
    },
  ];

  test("passes a filter exactly when a page with the same filter shows it", async () => {
    const { reader } = database.store;
    const everything = { limit: 2000, order: "oldest" } as const;
    for (const scope of scopes) {
      const all = await reader.timeline(scope, {}, everything);
      await fc.assert(
        fc.asyncProperty(filters, async (filter) => {
          const page = await reader.timeline(scope, filter, everything);
          const passing = all.events.filter((visible) => passesFilter(visible, filter));
          expect(passing.map(({ event }) => event.id)).toEqual(page.events.map(({ event }) => event.id));
        }),
        { numRuns: 150 },
      );
    }
  });
});

test("a resource is split at its first separator, whichever that is", () => {
  expect(parseResource("server/a/b:c")).toEqual({ kind: "server", id: "a/b:c" });
  expect(parseResource("mac:fa:16:3e")).toEqual({ kind: "mac", id: "fa:16:3e" });
});

test("filters that mean the same are spelt the same, and others are not", () => {
  expect(canonicalFilter({ kinds: ["symptom", "change"], text: "a" })).toBe(
    canonicalFilter({ text: "a", kinds: ["change", "symptom", "change"] }),
  );
  expect(canonicalFilter({ text: "a" })).not.toBe(canonicalFilter({ domainId: "a" }));
  expect(canonicalFilter({ resource: { kind: "a", id: "b" } })).not.toBe(
    canonicalFilter({ resource: { kind: "a", id: "c" } }),
  );
});
