import { describe, expect, it } from "vitest";
import type { RuleJson } from "../../api/notification-contract.ts";
import {
  conditionWords,
  deliveryWords,
  emptyRule,
  lengthWords,
  queryWords,
  ruleBody,
  ruleOwners,
} from "./rule-words.ts";

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

describe("whose a new rule can be", () => {
  const project = { scope: "project", control_plane: "r1", project_id: "p1", role: "admin" } as const;
  const domain = { scope: "domain", control_plane: "r2", domain_id: "d1", role: "admin" } as const;

  it("is each tenant's that somebody administers, and no other's", () => {
    const grants = [project, { ...project, project_id: "p2", role: "reader" } as const, domain, domain];
    expect(ruleOwners({ kind: "tenant", grants })).toEqual([
      { name: "project p1 (r1)", owner: { control_plane: "r1", project_id: "p1" } },
      { name: "domain d1 (r2)", owner: { control_plane: "r2", domain_id: "d1" } },
    ]);
  });

  it("is nobody's but its own to the provider", () => {
    expect(ruleOwners({ kind: "provider", grants: [{ scope: "provider", role: "admin" }] })).toEqual([]);
    expect(ruleOwners(undefined)).toEqual([]);
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
