import { describe, expect, it } from "vitest";
import type { RuleJson } from "../../api/notification-contract.ts";
import { conditionWords, deliveryWords, emptyRule, lengthWords, queryWords, ruleBody } from "./rule-words.ts";

const draft = { ...emptyRule, name: " night ", url: "https://hooks.example.org/T1" };

describe("a new rule", () => {
  it("is a body as soon as it has a name and an address", () => {
    expect(ruleBody(emptyRule)).toBeUndefined();
    expect(ruleBody({ ...draft, url: "hooks" })).toBeUndefined();
    expect(ruleBody({ ...draft, types: "backup.end, ", severity: "error", quietMinutes: "5" })).toMatchObject(
      {
        name: "night",
        query: { type: ["backup.end"], severity: "error" },
        condition: { kind: "each" },
        quiet_seconds: 300,
      },
    );
  });

  it("waits for numbers that can be understood", () => {
    expect(ruleBody({ ...draft, condition: "at-least", count: "1" })).toBeUndefined();
    expect(ruleBody({ ...draft, condition: "absence", minutes: "x" })).toBeUndefined();
    expect(ruleBody({ ...draft, condition: "at-least" })?.condition).toEqual({
      kind: "at-least",
      count: 5,
      within_seconds: 600,
    });
  });
});

describe("a rule", () => {
  it("is told in words", () => {
    const rule = {
      condition: { kind: "absence", span_seconds: 93_600 },
      group_by: ["resource"],
      quiet_seconds: 90,
      query: { type: ["backup.end"], q: "nightly" },
    } as unknown as RuleJson;
    expect(conditionWords(rule)).toBe("none for 26 h for each resource, at most once in 90 s");
    expect(queryWords(rule)).toBe("type backup.end; text nightly");
    expect(queryWords({ ...rule, query: {} })).toBe("all that may be seen");
    expect(lengthWords(600)).toBe("10 min");
  });

  it("tells what became of a message", () => {
    const delivery = {
      state: "dead",
      kind: "events",
      events: 1,
      attempts: 9,
      last_answer: "The target answered 500.",
    };
    expect(deliveryWords(delivery as Parameters<typeof deliveryWords>[0])).toBe(
      "1 event: dead, 9 tries. The target answered 500.",
    );
  });
});
