import { describe, expect, it } from "vitest";
import { answerBy, rejectionsBy, resolveBy } from "../../test/answers.ts";
import { draftOf, relatedAs } from "../../test/facts.ts";

const request = (actorProject?: string, ...mentioned: string[]) =>
  draftOf("request:r", 10, {
    related: relatedAs("caller user:u", ...mentioned.map((key) => `mentioned ${key}`)),
    actor: { userId: "u", ...(actorProject === undefined ? {} : { projectId: actorProject }) },
  });

describe("the record of a request", () => {
  const member = ["user:u works_in project:a @1"];

  it("is its caller's project, where the account works in that one only", () => {
    const answer = resolveBy(request(), [...member, "project:a part_of domain:d @1"]);
    expect(answer.attribution).toMatchObject({ status: "owned", tenant: { projectId: "a", domainId: "d" } });
    expect(answer.attribution.evidence[0]).toMatchObject({
      rule: "caller-of-one-tenant/1",
      verdict: "accepted",
      confidence: "derived",
    });
    expect(answerBy(request("a"), member)).toBe("owned a");
  });

  it("is known by a group's role as well", () => {
    const facts = ["user:u member_of group:g @1", "group:g works_in project:a @1"];
    expect(answerBy(request(), facts)).toBe("owned a");
    expect(answerBy(request(), [...facts, "group:g works_in project:b @1"])).toBe("unresolved");
  });

  it.each([
    [
      "the account works in two projects",
      "user:u works_in project:b @1",
      "the account works in several projects",
    ],
    ["it also has a role on a domain", "user:u works_in domain:d @1", "a role on more than a project"],
    ["it also has a role on the system", "user:u works_in system:all @1", "a role on more than a project"],
  ])("waits where %s", (_, fact, reason) => {
    expect(answerBy(request(), [...member, fact])).toBe("unresolved");
    expect(rejectionsBy(request(), [...member, fact]).join()).toContain(reason);
  });

  it("waits where it was made for a project in which the account is not known to work", () => {
    expect(answerBy(request("b"), member)).toBe("unresolved");
    expect(rejectionsBy(request("b"), member).join()).toContain("the request was made for project b");
  });

  it("takes roles as of the moment, and none from before it was first seen", () => {
    expect(answerBy(request(), ["user:u works_in project:a @11"])).toBe("unresolved");
    expect(
      answerBy(request(), ["user:u works_in project:b @1", "!user:u works_in project:b @5", ...member]),
    ).toBe("owned a");
  });

  it("is ambiguous where it speaks of another tenant's thing", () => {
    const facts = [...member, "server:s owned_by project:b @1"];
    expect(answerBy(request(undefined, "server:s"), facts)).toBe("ambiguous a b");
    expect(rejectionsBy(request(undefined, "server:s"), facts).join()).toContain("which is another tenant's");
  });

  it("is not disturbed by the provider's things", () => {
    const facts = [...member, "network:n owned_by project:p @1", "project:p part_of domain:ops @1"];
    expect(answerBy(request(undefined, "network:n"), facts)).toBe("owned a");
  });

  it("of the provider's staff is whose the thing is that it speaks of, else the provider's", () => {
    const facts = [
      "user:u works_in project:p @1",
      "project:p part_of domain:ops @1",
      "server:s owned_by project:b @1",
    ];
    expect(answerBy(request(undefined, "server:s"), facts)).toBe("owned b");
    expect(answerBy(request(), facts)).toBe("provider");
  });

  it("is asked about again when the account's roles or the things become known", () => {
    expect(resolveBy(request(undefined, "server:s"), member).dependsOn).toEqual([
      "project:a",
      "server:s",
      "user:u",
    ]);
  });
});
