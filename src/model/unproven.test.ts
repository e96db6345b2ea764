import { expect, test } from "vitest";
import type { Attribution, Evidence } from "./event.ts";
import { explainReason, isRuled, unprovenReason } from "./unproven.ts";

const step = (rule: string, verdict: Evidence["verdict"] = "rejected"): Evidence => {
  return { rule, verdict, confidence: "exact", says: "" };
};
const unresolved = (...evidence: Evidence[]): Attribution => ({ status: "unresolved", evidence });
const ambiguous = (...evidence: Evidence[]): Attribution => ({
  status: "ambiguous",
  candidates: [],
  evidence,
});
const nothing = step("no-owner-known/1");

test.each<[string | undefined, Attribution]>([
  ["no-owner-known", unresolved()],
  ["no-owner-known", unresolved(step("part-of/1", "accepted"), nothing)],
  ["between-owners", unresolved(step("owner-interval/1"), nothing)],
  ["alias-unproven", unresolved(step("owner-interval/1"), step("name-in-place/2"), nothing)],
  ["caller-of-several", unresolved(step("caller-of-one-tenant/1"), nothing)],
  ["a-rule-of-tomorrow", unresolved(step("a-rule-of-tomorrow/1"), nothing)],
  ["several-owners", ambiguous(step("owner-interval/1", "accepted"))],
  ["alias-of-several", ambiguous(step("known-as/1", "accepted"), step("owner-interval/1", "accepted"))],
  ["several-owners", ambiguous(step("known-as/1"), step("owner-interval/1", "accepted"))],
  ["ruling-contradicted", ambiguous(step("operator-ruling/r/1"), step("ruling-contradicted/1"))],
  ["rulings-disagree", ambiguous(step("operator-ruling/r/1"), step("rulings-disagree/1"))],
  ["ruled", { status: "provider", evidence: [nothing, step("operator-ruling/r/1", "accepted")] }],
  [undefined, { status: "provider", evidence: [step("platform/1", "accepted")] }],
])("%s is the word for what the evidence lacks", (reason, attribution) => {
  expect(unprovenReason(attribution)).toBe(reason);
  expect(isRuled(attribution)).toBe(reason === "ruled");
});

test("every reason is explained in one sentence, also one that is not known yet", () => {
  for (const reason of ["no-owner-known", "ruling-contradicted", "a-rule-of-tomorrow"]) {
    expect(explainReason(reason)).toMatch(/^[A-Z].*\.$/);
  }
});
