import { expect, test } from "vitest";
import { draftOf, knownFact } from "../../test/facts.ts";
import type { EventDraft } from "../model/event.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import { withSubjectName } from "./subject-name.ts";

/** The name that an event about the subject at second 10 gets by what is told. */
function nameBy(
  subject: string,
  told: readonly (readonly [statement: string, second: number])[],
  more: Partial<EventDraft> = {},
): string | undefined {
  const facts = told.map(([statement, second]) => knownFact(`${subject} ${statement}`, second));
  return withSubjectName(draftOf(subject, 10, more), buildTopologyView("cloud", facts)).subjectName;
}

test("a subject without a name in its record is called what it was called then", () => {
  expect(
    nameBy("server:s", [
      ["named name:web", 5],
      ["named name:old", 12],
    ]),
  ).toBe("web");
  expect(nameBy("server:s", [["named name:web", 12]])).toBe("web");
  expect(nameBy("server:s", [["named name:web", 5]], { subjectName: "own" })).toBe("own");
  expect(nameBy("server:s", [])).toBeUndefined();
});

test("what can change hands is not called what somebody else called it, before or after", () => {
  const ofA: Partial<EventDraft> = {
    stated: { owner: { kind: "project", id: "a" }, path: "payload.tenant_id" },
  };
  const later = [
    ["owned_by project:b", 12],
    ["named name:secret", 12],
  ] as const;
  expect(nameBy("volume:v", later, ofA)).toBeUndefined();
  expect(nameBy("volume:v", later)).toBeUndefined();
  const earlier = [
    ["owned_by project:b", 1],
    ["named name:secret", 1],
  ] as const;
  expect(nameBy("volume:v", earlier, ofA)).toBeUndefined();
  expect(nameBy("volume:v", [...earlier, ["owned_by project:a", 5]])).toBeUndefined();
  expect(
    nameBy(
      "volume:v",
      [
        ["owned_by project:a", 1],
        ["named name:data", 1],
      ],
      ofA,
    ),
  ).toBe("data");
  expect(nameBy("volume:v", [["named name:data", 1]], ofA)).toBe("data");
});
