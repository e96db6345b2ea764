import { describe, expect, it } from "vitest";
import { answerBy, rejectionsBy, resolveBy } from "../../test/answers.ts";
import { draftOf } from "../../test/facts.ts";

const speaks = (thing: string, user: string, project: string): readonly string[] => [
  `${thing} used_by user:${user} @50`,
  `user:${user} works_in project:${project} @1`,
];

describe("a thing whose owner nothing ever stated", () => {
  const port = draftOf("port:x", 10);

  it("is the only tenant's whose accounts ever spoke of it, whenever that was", () => {
    const { attribution } = resolveBy(port, [...speaks("port:x", "u", "a"), ...speaks("port:x", "v", "a")]);
    expect(attribution).toMatchObject({ status: "owned", tenant: { projectId: "a" } });
    expect(attribution.evidence[0]).toMatchObject({ rule: "used-by-one/1", confidence: "derived" });
  });

  it("waits where accounts of two tenants did, and is no ambiguity by that", () => {
    const facts = [...speaks("port:x", "u", "a"), ...speaks("port:x", "v", "b")];
    expect(answerBy(port, facts)).toBe("unresolved");
    expect(rejectionsBy(port, facts).join()).toContain("accounts of several tenants spoke of it");
  });

  it("hears nothing from who ever worked elsewhere too, from who works nowhere, and from the provider's staff", () => {
    const own = speaks("port:x", "u", "a");
    const manifold = [
      ...speaks("port:x", "v", "b"),
      "user:v works_in project:c @1",
      "!user:v works_in project:c @2",
    ];
    const staff = [...speaks("port:x", "s", "p"), "project:p part_of domain:ops @1"];
    expect(answerBy(port, [...own, ...manifold, ...staff, "port:x used_by user:unknown @1"])).toBe("owned a");
    expect(answerBy(port, [...manifold, ...staff])).toBe("unresolved");
  });

  it("waits where an owner was stated that proves nothing of the moment", () => {
    const stated = ["volume:v owned_by project:b @20", ...speaks("volume:v", "u", "a")];
    expect(answerBy(draftOf("volume:v", 10), stated)).toBe("unresolved");
  });

  it.each(["image:i", "flavor:f", "user:z", "zone:z", "share:s", "secret:s", "transfer:t"])(
    "is never known so where everybody may use its kind: %s",
    (key) => {
      expect(answerBy(draftOf(key, 10), speaks(key, "u", "a"))).not.toBe("owned a");
    },
  );

  it("is not known so where it is marked as shared, or where it may be of any kind", () => {
    const network = [...speaks("network:n", "u", "a"), "network:n member_of component:shared @1"];
    expect(answerBy(draftOf("network:n", 10), network)).toBe("unresolved");
    expect(answerBy(draftOf("resource:i", 10), speaks("resource:i", "u", "a"))).toBe("unresolved");
    expect(answerBy(draftOf("resource:i", 10), speaks("image:i", "u", "a"))).toBe("unresolved");
    expect(answerBy(draftOf("resource:x", 10), speaks("port:x", "u", "a"))).toBe("owned a");
  });

  it("is known so from a request that told its id without its kind, beside one that told it", () => {
    expect(answerBy(port, speaks("resource:x", "u", "a"))).toBe("owned a");
  });

  it("waits for the thing, under its id alone as well, and for where those accounts work", () => {
    expect(resolveBy(port, ["port:x used_by user:u @1"]).dependsOn).toEqual([
      "port:x",
      "resource:x",
      "user:u",
    ]);
  });
});
