import { expect, test } from "vitest";
import { draftOf, knownFact } from "../../test/facts.ts";
import { createResolver } from "./graph-resolver.ts";
import { buildTopologyView } from "./topology-view.ts";

const resolve = createResolver({ providerDomains: new Set() });

/** What is told, each with its second; gives what the notices of a failed backend at second 10 call the volume. */
function nameOf(...told: readonly (readonly [statement: string, second: number])[]): string | undefined {
  const facts = [["volume:v stored_on backend:k", 0] as const, ...told].map(([statement, second]) =>
    knownFact(statement, second),
  );
  const failure = draftOf("backend:k", 10, { kind: "symptom" });
  const [answer] = resolve([failure], "bus", buildTopologyView("cloud", facts));
  expect(answer!.attribution.status).toBe("shared");
  return answer!.names?.get("volume:v");
}

const owned = (project: string, second: number) => [`volume:v owned_by project:${project}`, second] as const;
const named = (name: string, second: number) => [`volume:v named name:${name}`, second] as const;

test("a resource is called what it was called at the moment, before a later name and after an earlier one", () => {
  expect(nameOf(owned("a", 1), named("data", 1))).toBe("data");
  expect(nameOf(owned("a", 1), named("data", 1), named("logs", 5), named("old", 12))).toBe("logs");
  expect(nameOf(owned("a", 1))).toBeUndefined();
});

test("a name that is only seen later is taken where the resource was the same tenant's throughout", () => {
  expect(nameOf(owned("a", 1), named("data", 12))).toBe("data");
  expect(nameOf(owned("a", 1), owned("a", 10), owned("b", 11), named("data", 12))).toBeUndefined();
});

test("what the owner before called it is not told to the next, until it is seen to be called so as well", () => {
  expect(nameOf(owned("a", 1), named("secret", 1), owned("b", 5))).toBeUndefined();
  expect(nameOf(owned("a", 1), named("secret", 1), owned("b", 5), named("secret", 6))).toBe("secret");
});

test("two names of the same moment are none", () => {
  expect(nameOf(owned("a", 1), named("data", 2), named("logs", 2))).toBeUndefined();
});
