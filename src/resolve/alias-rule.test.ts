import { describe, expect, it } from "vitest";
import { answerBy, rejectionsBy, resolveBy } from "../../test/answers.ts";
import { draftOf, relatedAs } from "../../test/facts.ts";

/** A line of a service's log, which no tenant is shown. */
const called = (...related: string[]) =>
  draftOf("name:web", 10, { related: relatedAs(...related), visibility: "provider" });
/** What a monitor tells, which its owner is shown. */
const alerted = (subject: string, ...related: string[]) =>
  draftOf(subject, 10, { related: relatedAs(...related) });
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
    const bound = ["floating_ip:p has_address ip:203.0.113.5 @1", "floating_ip:p owned_by project:a @1"];
    expect(answerBy(addressed("ip:203.0.113.5"), bound)).toBe("owned a");
    expect(
      answerBy(addressed("ip:203.0.113.5"), [...bound, "floating_ip:q has_address ip:203.0.113.5 @1"]),
    ).toBe("unresolved");
    expect(
      answerBy(addressed("ip:203.0.113.5"), [
        "floating_ip:p owned_by project:a @1",
        "floating_ip:p has_address ip:203.0.113.5 @20",
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

describe("what a tenant can choose", () => {
  const serverHas = (alias: string, relation: string) => [
    `server:1 ${relation} ${alias} @1`,
    "server:1 owned_by project:a @1",
    "project:a part_of domain:d @1",
    "server:1 runs_on host:h @1",
  ];

  it.each([
    ["ip:10.0.0.7", "has_address"],
    // A tenant's own subnet may have any addresses.
    ["ip:203.0.113.7", "has_address"],
    ["ip:fd00::7", "has_address"],
    ["mac:fa:16:3e:00:00:01", "has_address"],
    ["hostname:node-7", "known_as"],
    ["name:web", "named"],
  ])("gives nobody what a monitor tells of a machine that OpenStack may not know: %s", (alias, relation) => {
    const facts = serverHas(alias, relation);
    expect(answerBy(alerted(alias), facts)).toBe("unresolved");
    expect(rejectionsBy(alerted(alias), facts).at(-2)).toContain("A tenant can choose");
    // Nor do two of them together.
    expect(answerBy(alerted(alias, "alias name:other"), [...facts, "server:1 named name:other @1"])).toBe(
      "unresolved",
    );
    // Being deleted or renamed there, or asked for by its owner, proves no more.
    expect(
      answerBy(alerted(alias), [...facts, `${alias} used_by user:u @1`, "user:u works_in project:a @1"]),
    ).toBe("unresolved");
  });

  it.each(["within host:h", "within domain:d", "within project:a", "mentioned server:1"])(
    "counts where the record proves the place: %s",
    (proof) => {
      for (const [alias, relation] of [
        ["ip:10.0.0.7", "has_address"],
        ["hostname:node-7", "known_as"],
        ["name:web", "named"],
      ] as const) {
        const draft = alerted(alias, `alias ${alias}`, proof);
        expect(answerBy(draft, serverHas(alias, relation))).toBe("owned a");
      }
    },
  );

  it("counts on a host only for what is known to run there", () => {
    const unplaced = serverHas("name:web", "named").filter((fact) => !fact.includes("runs_on"));
    const onHost = alerted("name:web", "alias name:web", "within host:h");
    expect(answerBy(onHost, unplaced)).toBe("unresolved");
    // Somewhere between the two looks it moved.
    const moved = ["server:1 runs_on host:h @1", "server:1 runs_on host:i @20"];
    expect(answerBy(onHost, [...unplaced, ...moved])).toBe("unresolved");
    expect(answerBy(onHost, [...unplaced, "server:1 runs_on host:h @20"])).toBe("unresolved");
  });

  it("counts in a request only where its own records name an owner", () => {
    const facts = serverHas("name:web", "named");
    const draft = alerted("name:web", "alias name:web", "within request:r");
    expect(answerBy(draft, facts)).toBe("unresolved");
    expect(answerBy(draft, [...facts, "request:r concerns project:a @30"])).toBe("owned a");
  });

  it("is not in a project because its owner is a domain of the same id", () => {
    const facts = ["server:1 named name:web @1", "server:1 owned_by domain:a @1"];
    expect(answerBy(alerted("name:web", "alias name:web", "within project:a"), facts)).toBe("unresolved");
    expect(answerBy(alerted("name:web", "alias name:web", "within domain:a"), facts)).toBe("owned a");
  });

  it("does not take sides between the bearers of what it cannot choose", () => {
    const twice = [
      "server:1 known_as libvirt_domain:instance-00000001 @1",
      "server:1 owned_by project:a @1",
      "server:2 known_as libvirt_domain:instance-00000001 @1",
      "server:2 owned_by project:b @1",
      "server:1 named name:web @1",
    ];
    const draft = alerted("libvirt_domain:instance-00000001", "alias name:web");
    expect(answerBy(draft, twice)).toBe("ambiguous a b");
  });

  it("is nobody's by asking for it: a tenant's account asks for a neighbour's name in the same domain", () => {
    const asked = [
      "name:web used_by user:u @50",
      "user:u works_in project:a @1",
      "project:a part_of domain:d @1",
    ];
    expect(answerBy(alerted("name:web", "alias name:web", "within domain:d"), asked)).toBe("unresolved");
    expect(answerBy(alerted("name:web"), asked)).toBe("unresolved");
    expect(answerBy(alerted("name:web", "alias name:web", "within project:a"), asked)).toBe("owned a");
  });
});

describe("several ways to speak of one subject", () => {
  const both = [...serverOfA, ...serverOfB];
  const address = ["port:p has_address ip:10.0.0.5 @1", "port:p owned_by project:a @1"];
  const floating = ["floating_ip:f has_address ip:203.0.113.5 @1", "floating_ip:f owned_by project:a @1"];

  it("leave who is named by all of them, of which one is proven", () => {
    expect(answerBy(called("alias name:web", "alias ip:203.0.113.5"), [...both, ...floating])).toBe(
      "owned a",
    );
    expect(answerBy(called("alias name:web", "mentioned port:p"), [...both, ...address])).toBe("owned a");
    // An address that a tenant may choose takes nobody's side.
    expect(answerBy(called("alias name:web", "alias ip:10.0.0.5"), [...both, ...address])).toBe(
      "ambiguous a b",
    );
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
