import { expect, test } from "vitest";
import { draftOf } from "../../test/facts.ts";
import { redact } from "../../test/redact.ts";
import { resolveRecording } from "../../test/recorded-demo.ts";
import type { Attribution, EventDraft } from "../model/event.ts";
import { draftFields, policies } from "./redact-classes.ts";
import { disclosureClasses, redactionDiff } from "./redact-diff.ts";

const tenant = { controlPlane: "cloud", domainId: "d", projectId: "p" };
const draft = draftOf("server:1", 10, {
  type: "compute.instance.update",
  subjectName: "web-1",
  summary: "updated on compute-02",
  actor: { userId: "night-shift", address: "192.0.2.9" },
  related: [
    { role: "host", ref: { kind: "host", id: "compute-02" } },
    { role: "volume", ref: { kind: "volume", id: "mine" }, name: "data" },
  ],
  details: { payload: { state: "active", host: "compute-02", invented: { deep: 1 } } },
});

function tell(of: EventDraft, attribution: Attribution): readonly string[] {
  const [edition] = redact(of, attribution, ["volume:mine"]);
  return redactionDiff(of, edition!).map(
    ({ field, class: name, outcome, value, shown }) =>
      `${field}: ${JSON.stringify(value)} ${outcome}${shown === undefined ? "" : ` ${JSON.stringify(shown)}`} (${name})`,
  );
}

test("every field of an event is told with what became of it in the owner's edition, and by which class", () => {
  const told = tell(draft, { status: "owned", tenant, evidence: [] });
  expect(told).toEqual(
    expect.arrayContaining([
      'type: "compute.instance.update" shown (public-vocabulary)',
      'subject: "server/1" shown (own-thing)',
      'subjectName: "web-1" shown (own-name)',
      'related.0: "host host/compute-02" withheld (place)',
      'related.1: "volume volume/mine" shown (own-thing)',
      'related.1.name: "data" shown (own-name)',
      'actor.userId: "night-shift" withheld (actor)',
      'actor.address: "192.0.2.9" withheld (address)',
      'summary: "updated on compute-02" replaced "Server web-1: update" (free-text)',
      'details.payload.state: "active" shown (own-state)',
      'details.payload.host: "compute-02" withheld (place)',
      "details.payload.invented.deep: 1 withheld (unknown)",
    ]),
  );
  const named = new Set(told.map((line) => line.split(/[.:]/)[0]));
  expect(Object.keys(draftFields).filter((name) => name in draft && !named.has(name))).toEqual([]);
});

test("a notice tells the place by its alias, and its own resource in the place of the subject", () => {
  const failure = draftOf("host:compute-02", 10, {
    kind: "symptom",
    related: [{ role: "host", ref: { kind: "host", id: "compute-02" } }],
  });
  const affected = [{ tenant, resources: [{ kind: "server", id: "1" }] }];
  const told = tell(failure, { status: "shared", affected, evidence: [] });
  expect(told).toContain('subject: "host/compute-02" replaced "server/1" (place)');
  expect(told.find((line) => line.startsWith("related.0"))).toMatch(
    /^related\.0: "host host\/compute-02" replaced "place part\/part-[0-9a-f]{8}" \(place\)$/,
  );
  expect(told).toContain('severity: "info" shown (public-vocabulary)');
});

test("of a recorded cloud, nothing is shown as it is whose class is not to be shown", () => {
  const outcomes = new Map<string, number>();
  for (const { draft: of, attribution, ownEntities } of resolveRecording()) {
    for (const edition of redact(of, attribution, ownEntities)) {
      for (const { class: name, outcome } of redactionDiff(of, edition)) {
        const key = `${policies[name as keyof typeof policies]} class ${outcome}`;
        outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      }
    }
  }
  expect([...outcomes.keys()]).toEqual(
    expect.arrayContaining(["shown class shown", "withheld class withheld"]),
  );
  expect(outcomes.get("withheld class shown")).toBeUndefined();
  expect(outcomes.get("withheld class replaced")).toBeUndefined();
  expect(outcomes.get("replaced class shown")).toBeUndefined();
});

test("every class is told with what it means", () => {
  expect(disclosureClasses.map(({ name }) => name).toSorted()).toEqual(Object.keys(policies).toSorted());
});
