import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draftOf, knownFact } from "../../test/facts.ts";
import type { Attribution, EventDraft } from "../model/event.ts";
import type { KnownFact } from "../model/topology.ts";
import { instant } from "../model/instant.ts";
import { createResolver } from "./graph-resolver.ts";
import { buildTopologyView } from "./topology-view.ts";

const resolver = createResolver({ providerDomains: new Set(["default"]) });

function attribute(draft: EventDraft, facts: readonly KnownFact[]): Attribution {
  return resolver([draft], "bus", buildTopologyView("cloud", facts))[0]!.attribution;
}

const stated = (project: string): Partial<EventDraft> => ({
  stated: { owner: { kind: "project", id: project }, path: "payload.tenant_id" },
});

describe("whose an event is", () => {
  it("is what the record itself states, with the domain of the project as of then", () => {
    const answer = attribute(draftOf("server:1", 10, stated("p")), [
      knownFact("project:p part_of domain:d", 1),
    ]);
    expect(answer).toMatchObject({
      status: "owned",
      tenant: { projectId: "p", domainId: "d", controlPlane: "cloud" },
    });
    expect(answer.evidence.map((step) => step.rule)).toEqual(["stated-owner/1", "project-domain/1"]);
  });

  it("is not whose the thing is that somebody wrote into a ticket, but may be whose the cloud's own record mentions", () => {
    const facts = [knownFact("server:1 owned_by project:p", 5)];
    const speaking = (role: string) =>
      draftOf("ticket:desk:7", 10, { related: [{ role, ref: { kind: "server", id: "1" } }] });
    expect(attribute(speaking("refers_to"), facts)).toMatchObject({ status: "unresolved" });
    expect(attribute(speaking("mentioned"), facts)).toMatchObject({ status: "owned" });
  });

  it("is never the actor's project", () => {
    const actor = { userId: "u", projectId: "operators" };
    const answer = attribute(draftOf("server:1", 10, { actor }), [
      knownFact("server:1 owned_by project:p", 5),
    ]);
    expect(answer).toMatchObject({ status: "owned", tenant: { projectId: "p" } });
    expect(attribute(draftOf("server:2", 10, { actor }), [])).toMatchObject({ status: "unresolved" });
  });

  it("follows a resource's owner at the moment of the event", () => {
    const facts = [
      knownFact("volume:v owned_by project:a", 10),
      knownFact("volume:v owned_by project:a", 19),
      knownFact("volume:v owned_by project:b", 20),
    ];
    expect(attribute(draftOf("volume:v", 15), facts)).toMatchObject({ tenant: { projectId: "a" } });
    expect(attribute(draftOf("volume:v", 25), facts)).toMatchObject({ tenant: { projectId: "b" } });
  });

  it("does not guess who had a volume before it was first seen, nor between two owners", () => {
    const facts = [
      knownFact("volume:v owned_by project:a", 10),
      knownFact("volume:v owned_by project:b", 20),
    ];
    expect(attribute(draftOf("volume:v", 5), facts)).toMatchObject({ status: "unresolved" });
    expect(attribute(draftOf("volume:v", 15), facts)).toMatchObject({ status: "unresolved" });
    const rejected = attribute(draftOf("volume:v", 15), facts).evidence.find(
      (step) => step.verdict === "rejected",
    );
    expect(rejected?.says).toContain("changed hands");
  });

  it("is ambiguous where an address led to two tenants at that moment", () => {
    const facts = [
      knownFact("floating_ip:1 has_address ip:203.0.113.5", 1),
      knownFact("floating_ip:2 has_address ip:203.0.113.5", 1),
      knownFact("floating_ip:1 owned_by project:a", 1),
      knownFact("floating_ip:2 owned_by project:b", 1),
    ];
    expect(attribute(draftOf("ip:203.0.113.5", 10), facts)).toMatchObject({
      status: "ambiguous",
      candidates: [{ projectId: "a" }, { projectId: "b" }],
    });
    const released = [...facts, knownFact("!floating_ip:2 has_address ip:203.0.113.5", 5)];
    expect(attribute(draftOf("ip:203.0.113.5", 10), released)).toMatchObject({
      status: "owned",
      tenant: { projectId: "a" },
    });
  });

  it("is not the router's owner's because somebody leads a shared subnet to a router of theirs", () => {
    const facts = [knownFact("subnet:s routed_by router:r", 1), knownFact("router:r owned_by project:a", 1)];
    expect(attribute(draftOf("subnet:s", 10), facts)).toMatchObject({ status: "unresolved" });
  });

  it("is not an image's owner's because the image was given the id of something else", () => {
    const facts = [knownFact("image:x owned_by project:a", 1)];
    expect(attribute(draftOf("resource:x", 10), facts)).toMatchObject({ status: "unresolved" });
    const both = [...facts, knownFact("server:x owned_by project:b", 1)];
    expect(attribute(draftOf("resource:x", 10), both)).toMatchObject({
      status: "owned",
      tenant: { projectId: "b" },
    });
  });

  it("may be told by another record of the same request, if all of them agree", () => {
    const draft = draftOf("request:r", 10, { operation: { requestId: "r" }, actor: { userId: "u" } });
    const one = [knownFact("request:r concerns project:a", 12)];
    expect(attribute(draft, one)).toMatchObject({ status: "owned", tenant: { projectId: "a" } });
    expect(attribute(draft, [...one, knownFact("request:r concerns project:b", 13)])).toMatchObject({
      status: "ambiguous",
    });
  });

  it("is not told by the request of a periodic task, which nobody asked for", () => {
    const draft = draftOf("request:r", 10, { operation: { requestId: "r" } });
    expect(attribute(draft, [knownFact("request:r concerns project:a", 12)])).toMatchObject({
      status: "unresolved",
    });
  });

  it("is the provider's for a host, with the tenants whose servers ran there then", () => {
    const facts = [
      knownFact("server:1 runs_on host:h", 1),
      knownFact("server:2 runs_on host:h", 1),
      knownFact("server:3 runs_on host:h", 1),
      knownFact("server:3 runs_on host:other", 5),
      knownFact("server:1 owned_by project:a", 1),
      knownFact("server:2 owned_by project:b", 1),
      knownFact("server:3 owned_by project:c", 1),
    ];
    const answer = attribute(draftOf("host:h", 10, { kind: "symptom" }), facts);
    expect(answer).toMatchObject({
      status: "shared",
      affected: [
        { tenant: { projectId: "a" }, resources: [{ id: "1" }] },
        { tenant: { projectId: "b" }, resources: [{ id: "2" }] },
      ],
    });
    expect(attribute(draftOf("host:h", 10, { kind: "activity" }), facts)).toMatchObject({
      status: "provider",
    });
  });

  it("is the provider's own where the project lies in a domain of the provider", () => {
    const facts = [knownFact("project:admin part_of domain:default", 1)];
    expect(attribute(draftOf("network:n", 10, stated("admin")), facts)).toMatchObject({
      status: "provider",
      own: { projectId: "admin", domainId: "default" },
    });
  });

  it("waits for exactly those entities that could still tell", () => {
    const view = buildTopologyView("cloud", []);
    const [waiting] = resolver(
      [draftOf("request:r", 1, { operation: { requestId: "r" }, actor: { userId: "u" } })],
      "bus",
      view,
    );
    expect(waiting!.dependsOn).toEqual(["request:r"]);
    const domain = buildTopologyView("cloud", [knownFact("project:p part_of domain:d", 1)]);
    expect(resolver([draftOf("server:1", 1, stated("p"))], "bus", domain)[0]!.dependsOn).toEqual([]);
  });
});

describe("what proves nothing", () => {
  const who = (draft: EventDraft, facts: readonly KnownFact[]) => {
    const answer = attribute(draft, facts);
    return answer.status === "owned" ? `owned ${answer.tenant.projectId ?? ""}` : answer.status;
  };

  it("is the original of a copy: a backup stays its maker's when the volume is given away", () => {
    const facts = [
      knownFact("volume:v owned_by project:a", 1),
      knownFact("backup:k copy_of volume:v", 5),
      knownFact("volume:v owned_by project:b", 20),
    ];
    expect(who(draftOf("backup:k", 30), facts)).toBe("unresolved");
    expect(who(draftOf("backup:k", 30), [...facts, knownFact("backup:k owned_by project:a", 60)])).toBe(
      "unresolved",
    );
  });

  it("is the server that an image was made from, once the image may have changed hands", () => {
    const facts = [
      knownFact("server:s owned_by project:a", 1),
      knownFact("image:i copy_of server:s", 2),
      knownFact("image:i owned_by project:a", 2),
      knownFact("image:i owned_by project:b", 20),
    ];
    expect(who(draftOf("image:i", 15), facts)).toBe("unresolved");
  });

  it("is a label beside an unknown resource", () => {
    const facts = [knownFact("volume:va owned_by project:a", 1)];
    const related = [{ role: "volume", ref: { kind: "volume", id: "va" } }];
    expect(who(draftOf("server:unknown", 2, { related }), facts)).toBe("unresolved");
  });

  it("is an operator's global request id, which may span many tenants' work", () => {
    const facts = [knownFact("request:req-g concerns project:a", 1)];
    const operation = { requestId: "req-b", globalRequestId: "req-g" };
    const actor = { userId: "masakari", projectId: "service" };
    expect(who(draftOf("port:pb", 2, { actor, operation }), facts)).toBe("unresolved");
    const vetoed = draftOf("request:req-b", 2, { actor, operation });
    expect(who(vetoed, facts)).toBe("unresolved");
    expect(attribute(vetoed, facts).evidence.filter((step) => step.verdict === "accepted")).toEqual([]);
    expect(who(draftOf("request:req-b", 2, { actor: { ...actor, projectId: "a" }, operation }), facts)).toBe(
      "owned a",
    );
  });

  it("is one look between two sights of the same owner", () => {
    const stored = { ...knownFact("server:s owned_by project:a", 1), lastAt: instant(10_000) };
    expect(who(draftOf("server:s", 12), [stored, knownFact("server:s owned_by project:b", 5)])).toBe(
      "owned a",
    );
  });

  it("leaves an answer about a host depending on the servers that it counted", () => {
    const facts = [knownFact("server:s owned_by project:a", 1), knownFact("server:s runs_on host:h1", 1)];
    const [down] = resolver(
      [draftOf("host:h1", 6, { kind: "symptom" })],
      "bus",
      buildTopologyView("cloud", facts),
    );
    expect(down!.dependsOn).toContain("server:s");
  });

  it("counts a mentioned resource as the owner's own only where its own owner says so", () => {
    const facts = [
      knownFact("server:sa owned_by project:a", 1),
      knownFact("volume:vb owned_by project:b", 1),
    ];
    const related = [{ role: "volume", ref: { kind: "volume", id: "vb" } }];
    const [event] = resolver(
      [draftOf("server:sa", 2, { related })],
      "bus",
      buildTopologyView("cloud", facts),
    );
    expect(event!.ownEntities).toEqual(["server:sa"]);
  });
});

describe("no tenant ever gets another's event", () => {
  const projects = ["a", "b", "c"];
  const world = fc.record({
    owners: fc.array(
      fc.record({
        volume: fc.constantFrom("1", "2"),
        project: fc.constantFrom(...projects),
        second: fc.integer({ min: 0, max: 30 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    event: fc.record({ volume: fc.constantFrom("1", "2"), second: fc.integer({ min: 0, max: 30 }) }),
    order: fc.infiniteStream(fc.nat()),
  });

  it("in worlds of transfers that are only observed now and then, in any order of arrival", () => {
    fc.assert(
      fc.property(world, ({ owners, event, order }) => {
        const facts = owners.map((item) =>
          knownFact(`volume:${item.volume} owned_by project:${item.project}`, item.second),
        );
        const draft = draftOf(`volume:${event.volume}`, event.second, {
          actor: { userId: "u", projectId: "c" },
          subjectName: "same name",
        });
        const answer = attribute(draft, facts);
        const shuffled = facts
          .map((fact) => ({ fact, rank: order.next().value ?? 0 }))
          .toSorted((x, y) => x.rank - y.rank);
        expect(
          attribute(
            draft,
            shuffled.map((item) => item.fact),
          ),
        ).toEqual(answer);
        if (answer.status !== "owned") return;
        // Whoever owns it must have been seen with it on both sides of the moment, or last.
        const own = owners
          .filter((item) => item.volume === event.volume)
          .toSorted((x, y) => x.second - y.second);
        const before = own.filter((item) => item.second <= event.second);
        const after = own.filter((item) => item.second > event.second);
        const latest = before.filter((item) => item.second === before.at(-1)?.second);
        expect(new Set(latest.map((item) => item.project))).toEqual(new Set([answer.tenant.projectId]));
        const exact = before.at(-1)?.second === event.second;
        const next = after.filter((item) => item.second === after[0]?.second).map((item) => item.project);
        if (after.length > 0 && !exact) expect(next).toContain(answer.tenant.projectId);
      }),
      { numRuns: 2000 },
    );
  });
});
