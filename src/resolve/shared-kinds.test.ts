import { describe, expect, it } from "vitest";
import { answerBy } from "../../test/answers.ts";
import { draftOf, relatedAs } from "../../test/facts.ts";

const works = ["user:u works_in project:a @1", "user:v works_in project:b @1"];

function requestOf(...things: string[]) {
  return draftOf("request:r", 10, {
    related: relatedAs("caller user:u", ...things.map((thing) => `mentioned ${thing}`)),
    actor: { userId: "u", projectId: "a" },
  });
}

/** A line that no tenant is shown. */
function saying(...aliases: string[]) {
  return draftOf("component:tool", 10, { related: relatedAs(...aliases), visibility: "provider" });
}

describe("what may be shared", () => {
  it("disturbs no caller, also where the record tells its id without its kind", () => {
    const image = [...works, "image:i owned_by project:b @1"];
    expect(answerBy(requestOf("image:i"), image)).toBe("owned a");
    expect(answerBy(requestOf("resource:i"), image)).toBe("owned a");
    expect(answerBy(requestOf("resource:s"), [...works, "server:s owned_by project:b @1"])).toBe(
      "ambiguous a b",
    );
  });

  it("says nothing beside another thing that is mentioned, whoever told its kind", () => {
    const facts = ["image:i owned_by project:b @1", "server:1 owned_by project:a @1"];
    const record = saying("mentioned resource:i", "mentioned resource:1");
    expect(answerBy(record, facts)).toBe("owned a");
  });
});

describe("a name", () => {
  const facts = ["image:i named name:golden @1", "image:i owned_by project:b @1"];

  it("of an image tells nobody, as everybody may start something from it", () => {
    expect(answerBy(saying("alias name:golden"), facts)).toBe("unresolved");
    const used = [...works, "name:golden used_by user:u @1"];
    expect(answerBy(saying("alias name:golden"), [...facts, ...used])).toBe("unresolved");
    expect(
      answerBy(saying("alias name:golden", "alias name:web-1"), [
        ...facts,
        "server:1 named name:web-1 @1",
        "server:1 owned_by project:a @1",
      ]),
    ).toBe("owned a");
  });

  it("of an image is the image's where the record says that it means one", () => {
    expect(answerBy(saying("alias:image name:golden"), facts)).toBe("owned b");
  });
});

describe("the kind of an id", () => {
  it("is told by whoever spoke of the thing, an operator as well, and beside calls that did not tell it", () => {
    const told = [...works, "resource:s used_by user:u @1", "security_group:s used_by user:operator @1"];
    expect(answerBy(draftOf("resource:s", 10), told)).toBe("owned a");
    const twice = [...works, "resource:s used_by user:u @1", "server:s used_by user:u @1"];
    expect(answerBy(draftOf("resource:s", 10), twice)).toBe("owned a");
    const image = [...works, "resource:s used_by user:u @1", "image:s used_by user:operator @1"];
    expect(answerBy(draftOf("resource:s", 10), image)).toBe("unresolved");
  });
});
