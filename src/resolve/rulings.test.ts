import { describe, expect, test } from "vitest";
import type { Attribution, EventDraft } from "../model/event.ts";
import type { Ruling, RulingAnswer, RulingMatch } from "../model/ruling.ts";
import type { KnownFact } from "../model/topology.ts";
import { unprovenReason } from "../model/unproven.ts";
import { createRulingStep } from "./rulings.ts";
import { buildTopologyView } from "./topology-view.ts";
import { controlPlane, draft, fact, minute, project, unresolved } from "../../test/drafts.ts";

const step = createRulingStep({ providerDomains: new Set(["ops"]) });
const toProject = (id: string): RulingAnswer => ({ kind: "tenant", owner: { kind: "project", id } });
const toProvider: RulingAnswer = { kind: "provider" };

const facts = [
  fact("project:a", "part_of", "domain:domain-1", 0),
  fact("project:staff", "part_of", "domain:ops", 0),
  fact("server:mine", "owned_by", "project:a", 0),
  fact("server:other", "owned_by", "project:b", 0),
  fact("volume:later", "owned_by", "project:a", 50),
].map((one): KnownFact => ({ ...one, controlPlane, connection: "nova", recordedAt: one.at }));
const view = buildTopologyView(controlPlane, facts);

function ruling(id: string, match: RulingMatch, answer: RulingAnswer, version = 1): Ruling {
  return {
    id,
    version,
    match,
    answer,
    by: "provider (tok_1)",
    why: "seen on the bill",
    decidedAt: minute(90),
  };
}

function apply(
  rulings: readonly Ruling[],
  fields: Partial<EventDraft> = {},
  attribution: Attribution = unresolved,
) {
  const resolved = { draft: draft("e", 10, fields), attribution, dependsOn: ["server:x"], ownEntities: [] };
  return step([resolved], rulings, "zabbix", view)[0]!;
}

const alert = { type: "alert.cpu.firing", subject: { kind: "name", id: "web-1" } } as const;
const webAlias: RulingMatch = { controlPlane, alias: { kind: "name", id: "web-1" } };

describe("a ruling", () => {
  test("gives a waiting event its owner, with who said so, when and why, after the evidence that was there", () => {
    const before: Attribution = {
      status: "unresolved",
      evidence: [{ rule: "no-owner-known/1", verdict: "rejected", confidence: "exact", says: "Nothing." }],
    };
    const { attribution, dependsOn } = apply([ruling("r1", webAlias, toProject("a"), 3)], alert, before);
    expect(attribution).toMatchObject({ status: "owned", tenant: project("a") });
    expect(attribution.evidence).toMatchObject([
      { rule: "no-owner-known/1" },
      {
        rule: "operator-ruling/r1/3",
        verdict: "accepted",
        confidence: "assumed",
        says: "provider (tok_1) ruled at 2026-11-19T01:30:00.000Z that this is that of project a: seen on the bill",
      },
    ]);
    expect(dependsOn).toEqual(["ruling:r1", "server:x"]);
    expect(unprovenReason(attribution)).toBe("ruled");
  });

  test.each<[string, RulingMatch, Partial<EventDraft>, boolean]>([
    ["another type", { type: "alert.disk" }, alert, false],
    ["a prefix of its type", { type: "alert.*" }, alert, true],
    ["another connection", { connection: "nova" }, alert, false],
    ["its connection", { connection: "zabbix" }, alert, true],
    ["another control plane", { ...webAlias, controlPlane: "region-2" }, alert, false],
    ["its own moment as the end", { type: "alert.*", to: minute(10) }, alert, false],
    ["its own moment as the beginning", { type: "alert.*", from: minute(10) }, alert, true],
    [
      "an alias among what it mentions",
      webAlias,
      { related: [{ role: "mentioned", ref: alert.subject }] },
      false,
    ],
    [
      "an alias that it is told by",
      webAlias,
      { related: [{ role: "alias:server", ref: alert.subject }] },
      true,
    ],
    ["another subject", { subject: { kind: "name", id: "web-2" } }, alert, false],
    ["an event's id that is not its own", { eventId: "evt_x" }, alert, false],
  ])("about %s", (_what, match, fields, applies) => {
    const { status } = apply([ruling("r1", match, toProvider)], fields).attribution;
    expect(status).toBe(applies ? "provider" : "unresolved");
  });

  test("for a project of the provider's own makes the event the provider's", () => {
    const { attribution } = apply([ruling("r1", webAlias, toProject("staff"))], alert);
    expect(attribution).toMatchObject({ status: "provider", own: { projectId: "staff", domainId: "ops" } });
  });

  test("for a project whose domain is not known yet waits for the domain", () => {
    const { attribution, dependsOn } = apply([ruling("r1", webAlias, toProject("new"))], alert);
    expect(attribution).toMatchObject({ status: "owned", tenant: { controlPlane, projectId: "new" } });
    expect(dependsOn).toContain("project:new");
  });

  test("shows its tenant no more of what the event mentions than what facts prove to be the tenant's", () => {
    const related = ["mine", "other"].map((id) => ({ role: "server", ref: { kind: "server", id } }));
    const later = { role: "volume", ref: { kind: "volume", id: "later" } };
    const { ownEntities } = apply([ruling("r1", webAlias, toProject("a"))], {
      ...alert,
      related: [...related, later],
    });
    expect(ownEntities).toEqual(["server:mine"]);
  });
});

describe("rulings that disagree", () => {
  test("decide nothing: both are candidates", () => {
    const rulings = [
      ruling("r2", webAlias, toProject("b")),
      ruling("r1", { type: "alert.*" }, toProject("a")),
    ];
    const { attribution, dependsOn } = apply(rulings, alert);
    expect(attribution).toMatchObject({
      status: "ambiguous",
      candidates: [project("a"), { controlPlane, projectId: "b" }],
    });
    expect(dependsOn).toEqual(["project:b", "ruling:r1", "ruling:r2", "server:x"]);
    expect(unprovenReason(attribution)).toBe("rulings-disagree");
    expect(apply(rulings.toReversed(), alert)).toEqual(apply(rulings, alert));
  });
});

describe("what facts prove", () => {
  const proven: Attribution = { status: "owned", tenant: project("a"), evidence: [] };

  test("contradicts a ruling about that very thing: neither is taken", () => {
    const { attribution, dependsOn } = apply([ruling("r1", webAlias, toProject("b"))], alert, proven);
    expect(attribution).toMatchObject({
      status: "ambiguous",
      candidates: [project("a"), { controlPlane, projectId: "b" }],
    });
    expect(attribution.evidence.map(({ rule, verdict }) => [rule, verdict])).toEqual([
      ["operator-ruling/r1/1", "rejected"],
      ["ruling-contradicted/1", "rejected"],
    ]);
    expect(dependsOn).toContain("ruling:r1");
    expect(unprovenReason(attribution)).toBe("ruling-contradicted");
    const { status } = apply([ruling("r1", webAlias, toProvider)], alert, proven).attribution;
    expect(status).toBe("ambiguous");
  });

  test("is left alone by a ruling that says the same, and by one about a class of events", () => {
    for (const one of [
      ruling("r1", webAlias, toProject("a")),
      ruling("r1", webAlias, { kind: "tenant", owner: { kind: "domain", id: "domain-1" } }),
      ruling("r1", { controlPlane, type: "alert.*" }, toProject("b")),
    ]) {
      expect(apply([one], alert, proven).attribution).toBe(proven);
    }
  });

  test("to be the provider's stays so, whatever was ruled", () => {
    for (const status of ["provider", "shared"] as const) {
      const answer: Attribution = { status, affected: [], evidence: [] };
      expect(apply([ruling("r1", webAlias, toProject("a"))], alert, answer).attribution).toBe(answer);
    }
  });
});
