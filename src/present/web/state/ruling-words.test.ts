import { describe, expect, it } from "vitest";
import type { DryRunJson } from "../../api/quarantine-contract.ts";
import { dryRunSentence, matchWords } from "./ruling-words.ts";

const nothing: DryRunJson = {
  digest: "d",
  summary: "",
  matching: 0,
  truncated: false,
  leave: 0,
  stay: 0,
  stay_because: [],
  by_tenant: [],
  not_shown: 0,
  provider: 0,
  second_tenant: 0,
  contradicted: 0,
  examples: [],
};
const share = (name: string, events: number, not_shown = 0) => ({
  tenant: { control_plane: "east", project_name: name },
  events,
  not_shown,
});
const say = (result: Partial<DryRunJson>) =>
  dryRunSentence({ ...nothing, ...result }, (tenant) => tenant.project_name ?? "?");

describe("a dry run in one sentence", () => {
  it("says how many leave, to whom, and that nobody sees what another one saw", () => {
    const by_tenant = [share("acme / prod", 1198), share("globex / web", 16)];
    expect(say({ matching: 1214, leave: 1214, by_tenant })).toBe(
      "1,214 leave: 1,198 → acme / prod, 16 → globex / web; 0 become visible to a second tenant",
    );
  });

  it("says what goes on waiting, what is the provider's, and what two tenants would have seen", () => {
    const result = { matching: 9, leave: 1, stay: 8, provider: 1, second_tenant: 1, truncated: true };
    expect(say(result)).toBe(
      "At least 1 leaves: 1 → the provider; 8 go on waiting; 1 becomes visible to a second tenant",
    );
  });

  it("counts the tenants that it has no room to name, so that the sum still holds", () => {
    const by_tenant = [5, 4, 3, 2, 1, 1].map((events, index) => share(`t${index}`, events));
    expect(say({ matching: 16, leave: 16, by_tenant })).toMatch(
      /^16 leave: 5 → t0, .*2 → t3, 2 → 2 more tenants;/,
    );
  });

  it("says what a tenant would own and not see, also of those that are not named", () => {
    const by_tenant = [
      share("acme / prod", 19, 19),
      share("a", 4),
      share("b", 3),
      share("c", 2),
      share("d", 1, 1),
    ];
    expect(say({ matching: 29, leave: 29, by_tenant })).toMatch(
      /19 → acme \/ prod \(19 of them not shown to it\), 4 → a, .*1 → 1 more tenants \(1 of them not shown to them\);/,
    );
  });

  it("says where a rule is about nothing", () => {
    expect(say({})).toBe("No waiting event matches.");
    expect(say({ contradicted: 3 })).not.toBe("No waiting event matches.");
  });
});

describe("the conditions of a ruling", () => {
  it("are told in one order, each with its word", () => {
    const match = {
      to: "2026-11-21T03:00:00Z",
      type: "alert.*",
      alias: { kind: "ip", id: "10.0.0.7" },
      connection: "alerts",
    };
    expect(matchWords(match, "UTC")).toEqual([
      ["type", "alert.*"],
      ["from", "alerts"],
      ["named", "ip/10.0.0.7"],
      ["before", "2026-11-21 03:00:00 UTC"],
    ]);
  });
});
