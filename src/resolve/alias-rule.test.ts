import { describe, expect, it } from "vitest";
import { answerBy, rejectionsBy, resolveBy } from "../../test/answers.ts";
import { draftOf, relatedAs } from "../../test/facts.ts";

const called = (...related: string[]) => draftOf("name:web", 10, { related: relatedAs(...related) });
const addressed = (address: string, ...related: string[]) =>
  draftOf(address, 10, { related: relatedAs(...related) });

const serverOfA = [
  "server:1 named name:web @1",
  "server:1 owned_by project:a @1",
  "project:a part_of domain:d @1",
];
const serverOfB = [
  "server:2 named name:web @1",
  "server:2 owned_by project:b @1",
  "project:b part_of domain:e @1",
];

describe("a record that has a name only", () => {
  it("is whose everything is that bore the name then", () => {
    const { attribution } = resolveBy(called(), serverOfA);
    expect(attribution).toMatchObject({ status: "owned", tenant: { projectId: "a", domainId: "d" } });
    expect(attribution.evidence[0]).toMatchObject({ rule: "name-in-place/1", confidence: "derived" });
    expect(answerBy(called(), [...serverOfA, ...serverOfB])).toBe("ambiguous a b");
  });

  it("waits while it is not known whose one of the bearers is", () => {
    expect(answerBy(called(), [...serverOfA, "volume:3 named name:web @1"])).toBe("unresolved");
    expect(rejectionsBy(called(), [...serverOfA, "volume:3 named name:web @1"]).join()).toContain(
      "may be anybody's",
    );
  });

  it("means things of one kind where the record tells the kind", () => {
    const volumeOfB = ["volume:3 named name:web @1", "volume:3 owned_by project:b @1"];
    expect(answerBy(called("alias name:web"), [...serverOfA, ...volumeOfB])).toBe("ambiguous b a");
    expect(answerBy(called("alias:server name:web"), [...serverOfA, ...volumeOfB])).toBe("owned a");
  });

  it.each([
    ["domain", "within domain:d"],
    ["project", "within project:a"],
  ])("means things in the %s that the record proves", (_, within) => {
    expect(answerBy(called("alias name:web", within), [...serverOfA, ...serverOfB])).toBe("owned a");
  });

  it("means things on the host that the record proves; where one ran unseen proves nothing", () => {
    const both = [...serverOfA, ...serverOfB, "server:1 runs_on host:h @1"];
    const onHost = called("alias name:web", "within host:h");
    expect(answerBy(onHost, [...both, "server:2 runs_on host:other @1"])).toBe("owned a");
    expect(answerBy(onHost, both)).toBe("ambiguous a b");
    // Somewhere between the two looks it moved.
    const moved = ["server:2 runs_on host:other @1", "server:2 runs_on host:h @20"];
    expect(answerBy(onHost, [...both, ...moved])).toBe("ambiguous a b");
  });

  it("means what its request was about", () => {
    const facts = [...serverOfA, ...serverOfB, "request:r concerns project:b @30"];
    expect(answerBy(called("alias name:web", "within request:r"), facts)).toBe("owned b");
  });

  it("is of nobody who was gone, was renamed, or is known by the name only from later", () => {
    expect(answerBy(called(), [...serverOfA, ...serverOfB, "server:2 removed_from component:nova @5"])).toBe(
      "owned a",
    );
    expect(answerBy(called(), [...serverOfA, ...serverOfB, "server:2 named name:db @5"])).toBe("owned a");
    const later = ["server:2 named name:web @15", "server:2 owned_by project:b @15"];
    expect(answerBy(called(), [...serverOfA, ...later])).toBe("owned a");
    expect(rejectionsBy(called(), [...serverOfA, ...later]).join()).toContain(
      "only known by it from a later moment",
    );
    expect(answerBy(called(), later)).toBe("unresolved");
    expect(answerBy(called(), [...serverOfA, "server:1 removed_from component:nova @5"])).toBe("unresolved");
  });

  it("is again of one that was brought back", () => {
    const facts = [
      ...serverOfA,
      "server:1 removed_from component:nova @5",
      "!server:1 removed_from component:nova @6",
    ];
    expect(answerBy(called(), facts)).toBe("owned a");
  });

  it("is of nobody alone while an account of another tenant spoke of the name", () => {
    const stranger = ["name:web used_by user:u @50", "user:u works_in project:c @50"];
    expect(answerBy(called(), [...serverOfA, ...stranger])).toBe("ambiguous c a");
    const manifold = [...stranger, "user:u works_in project:b @60"];
    expect(answerBy(called(), [...serverOfA, ...manifold])).toBe("owned a");
  });

  it("is its speakers' where nothing is known to have borne it, and nobody else's thing ever did", () => {
    const speaker = ["name:web used_by user:u @50", "user:u works_in project:a @50"];
    expect(answerBy(called(), speaker)).toBe("owned a");
    expect(
      answerBy(called(), [...speaker, "server:2 named name:web @60", "server:2 owned_by project:b @60"]),
    ).toBe("unresolved");
  });

  it("depends on the name, and on all that ever bore it", () => {
    expect(resolveBy(called(), serverOfA).dependsOn).toEqual(["name:web", "server:1"]);
  });
});

describe("a record that has an address only", () => {
  it("is whose all of the bearers were, and waits for one of unknown owner", () => {
    const bound = ["port:p has_address ip:10.0.0.5 @1", "port:p owned_by project:a @1"];
    expect(answerBy(addressed("ip:10.0.0.5"), bound)).toBe("owned a");
    expect(answerBy(addressed("ip:10.0.0.5"), [...bound, "port:q has_address ip:10.0.0.5 @1"])).toBe(
      "unresolved",
    );
    expect(
      answerBy(addressed("ip:10.0.0.5"), [
        "port:p owned_by project:a @1",
        "port:p has_address ip:10.0.0.5 @20",
      ]),
    ).toBe("unresolved");
  });

  it("knows what monitors call a server", () => {
    const known = ["server:1 known_as libvirt_domain:i-1 @1", "server:1 owned_by project:a @1"];
    expect(answerBy(addressed("libvirt_domain:i-1"), known)).toBe("owned a");
  });

  it("is the provider's where only a host bears it, with the tenants that stand there", () => {
    const facts = [
      "host:h known_as hostname:node-1 @1",
      "server:1 runs_on host:h @1",
      "server:1 owned_by project:a @1",
    ];
    const { attribution } = resolveBy(draftOf("hostname:node-1", 10, { kind: "symptom" }), facts);
    expect(attribution).toMatchObject({ status: "shared", affected: [{ tenant: { projectId: "a" } }] });
  });
});

describe("several ways to speak of one subject", () => {
  const both = [...serverOfA, ...serverOfB];
  const address = ["port:p has_address ip:10.0.0.5 @1", "port:p owned_by project:a @1"];

  it("leave who is named by all of them", () => {
    expect(answerBy(called("alias name:web", "alias ip:10.0.0.5"), [...both, ...address])).toBe("owned a");
    expect(answerBy(called("alias name:web", "mentioned port:p"), [...both, ...address])).toBe("owned a");
  });

  it("are ambiguous where nobody is", () => {
    const other = ["port:p has_address ip:10.0.0.5 @1", "port:p owned_by project:c @1"];
    expect(answerBy(called("alias name:web", "alias ip:10.0.0.5"), [...serverOfA, ...other])).toMatch(
      /^ambiguous/,
    );
  });

  it("count for nothing beside an id, whose owner alone is asked for", () => {
    const draft = draftOf("server:unknown", 10, { related: relatedAs("alias name:web", "mentioned port:p") });
    expect(answerBy(draft, [...serverOfA, ...address])).toBe("unresolved");
  });
});
