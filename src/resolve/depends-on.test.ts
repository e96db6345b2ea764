import { expect, it } from "vitest";
import { resolveBy, spellAnswer } from "../../test/answers.ts";
import { draftOf, relatedAs } from "../../test/facts.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";

interface LateWord {
  readonly draft: EventDraft;
  readonly known: readonly string[];
  readonly late: string;
  /** The entity by which the store finds what the late fact is about. */
  readonly marks: string;
  readonly answers: readonly [before: string, after: string];
}

const line = (...related: string[]) =>
  draftOf("component:c", 10, { related: relatedAs(...related), visibility: "provider" });
const request = draftOf("request:r", 10, {
  related: relatedAs("caller user:u"),
  actor: { userId: "u" },
  operation: { requestId: "r" },
});
const onHost = ["server:1 runs_on host:h @1", "server:1 owned_by project:a @1"];
const inA = "user:u works_in project:a @1";

const lateWords: Readonly<Record<string, LateWord>> = {
  "another role of the caller": {
    draft: request,
    known: [inA],
    late: "user:u works_in project:b @5",
    marks: "user:u",
    answers: ["owned a", "unresolved"],
  },
  "another role of the caller's group": {
    draft: request,
    known: ["user:u member_of group:g @1", "group:g works_in project:a @1"],
    late: "group:g works_in project:b @5",
    marks: "group:g",
    answers: ["owned a", "unresolved"],
  },
  "what the request of an alias was about": {
    draft: draftOf("component:c", 10, { related: relatedAs("alias name:web", "within request:r") }),
    known: ["server:1 named name:web @1", "server:1 owned_by project:a @1"],
    late: "request:r concerns project:a @5",
    marks: "request:r",
    answers: ["unresolved", "owned a"],
  },
  "a bearer of an alias beside the subject": {
    draft: line("alias name:web"),
    known: ["server:1 owned_by project:a @1"],
    late: "server:1 named name:web @1",
    marks: "name:web",
    answers: ["unresolved", "owned a"],
  },
  "that a bearer was brought back": {
    draft: line("alias name:web"),
    known: [
      "server:1 named name:web @1",
      "server:1 owned_by project:a @1",
      "server:1 removed_from component:n @5",
    ],
    late: "!server:1 removed_from component:n @6",
    marks: "server:1",
    answers: ["unresolved", "owned a"],
  },
  "the owner of the subject": {
    draft: draftOf("port:p", 10),
    known: [],
    late: "port:p owned_by project:a @1",
    marks: "port:p",
    answers: ["unresolved", "owned a"],
  },
  "the whole of the subject's whole": {
    draft: draftOf("port:p", 10),
    known: ["port:p routed_by router:r @1"],
    late: "router:r owned_by project:a @1",
    marks: "router:r",
    answers: ["unresolved", "owned a"],
  },
  "the host of a service": {
    draft: draftOf("service:s", 10, { kind: "symptom" }),
    known: onHost,
    late: "service:s serves host:h @1",
    marks: "service:s",
    answers: ["provider", "shared"],
  },
  "what stood on the host of a service": {
    draft: draftOf("service:s", 10, { kind: "symptom" }),
    known: ["service:s serves host:h @1", "server:1 owned_by project:a @1"],
    late: "server:1 runs_on host:h @1",
    marks: "host:h",
    answers: ["provider", "shared"],
  },
  "whose a thing on a host was": {
    draft: draftOf("host:h", 10, { kind: "symptom" }),
    known: ["server:1 runs_on host:h @1"],
    late: "server:1 owned_by project:a @1",
    marks: "server:1",
    answers: ["provider", "shared"],
  },
  "another record of the request": {
    draft: request,
    known: [],
    late: "request:r concerns project:a @5",
    marks: "request:r",
    answers: ["unresolved", "owned a"],
  },
  "the kind of a thing that others may be let use": {
    draft: line("mentioned resource:i", "mentioned server:1"),
    known: ["image:i named name:golden @1", "server:1 owned_by project:a @1"],
    late: "server:i owned_by project:b @1",
    marks: "resource:i",
    answers: ["owned a", "ambiguous a b"],
  },
  "who used a thing that others may be let use": {
    draft: line("mentioned network:n", "mentioned server:unknown"),
    known: [inA],
    late: "network:n used_by user:u @1",
    marks: "network:n",
    answers: ["unresolved", "owned a"],
  },
  "who used a thing without telling its kind": {
    draft: draftOf("port:x", 10),
    known: [inA],
    late: "resource:x used_by user:u @1",
    marks: "resource:x",
    answers: ["unresolved", "owned a"],
  },
};

it.each(Object.entries(lateWords))("an answer waits for %s", (_, { draft, known, late, marks, answers }) => {
  const before = resolveBy(draft, known);
  const after = resolveBy(draft, [...known, late]);
  expect([spellAnswer(before.attribution), spellAnswer(after.attribution)]).toEqual(answers);
  expect(before.dependsOn).toContain(marks);
});

it("an owner waits for its domain", () => {
  const draft = draftOf("port:p", 10, { stated: { owner: { kind: "project", id: "a" }, path: "owner" } });
  const { attribution, dependsOn } = resolveBy(draft, []);
  expect(attribution).toMatchObject({ status: "owned", tenant: { projectId: "a" } });
  expect(dependsOn).toEqual([entityKey({ kind: "project", id: "a" })]);
  expect(resolveBy(draft, ["project:a part_of domain:ops @1"]).attribution.status).toBe("provider");
});
