import { describe, expect, it } from "vitest";
import { answerBy, rejectionsBy, resolveBy } from "../../test/answers.ts";
import { draftOf, relatedAs } from "../../test/facts.ts";

const speaking = (...keys: string[]) =>
  draftOf("component:scheduler", 10, { related: relatedAs(...keys.map((key) => `mentioned ${key}`)) });

describe("a record that only mentions things", () => {
  const facts = [
    "server:1 owned_by project:a @1",
    "volume:2 owned_by project:a @1",
    "server:3 owned_by project:b @1",
    "network:n owned_by project:p @1",
    "image:i owned_by project:b @1",
    "project:p part_of domain:ops @1",
  ];

  it("is whose all of them are that have a known owner", () => {
    const { attribution } = resolveBy(speaking("server:1", "volume:2", "port:unknown"), facts);
    expect(attribution).toMatchObject({ status: "owned", tenant: { projectId: "a" } });
    expect(attribution.evidence.map(({ rule }) => rule)).toContain("mentioned/1");
    expect(answerBy(speaking("server:1", "server:3"), facts)).toBe("ambiguous a b");
  });

  it("is not disturbed by what is the provider's, and the provider's where nothing else is mentioned", () => {
    expect(answerBy(speaking("server:1", "network:n"), facts)).toBe("owned a");
    expect(answerBy(speaking("network:n"), facts)).toBe("provider");
  });

  it("counts what tenants share with each other only where nothing else is mentioned", () => {
    expect(answerBy(speaking("server:1", "image:i"), facts)).toBe("owned a");
    expect(answerBy(speaking("server:unknown", "image:i"), facts)).toBe("unresolved");
    expect(answerBy(speaking("image:i"), facts)).toBe("owned b");
    const used = [
      "image:i used_by user:u @1",
      "image:i used_by user:v @1",
      "user:u works_in project:a @1",
      "user:v works_in project:b @1",
    ];
    expect(answerBy(speaking("image:i"), [...facts, ...used])).toBe("unresolved");
    expect(rejectionsBy(speaking("image:i"), [...facts, ...used]).join()).toContain(
      "accounts of several tenants do",
    );
  });

  it("hears nothing from accounts, roles and domains", () => {
    expect(answerBy(speaking("user:u", "domain:d", "role:r"), ["user:u owned_by domain:d @1"])).toBe(
      "unresolved",
    );
    expect(answerBy(speaking("project:a"), [])).toBe("owned a");
  });
});
