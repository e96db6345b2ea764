import type { Attribution, Evidence } from "./event.ts";

/** Rules of the step that applies what operators decided; `operator-ruling` is followed by the ruling's id and version. */
export const rulingRules = {
  decided: "operator-ruling",
  contradicted: "ruling-contradicted/1",
  disagree: "rulings-disagree/1",
} as const;

/** Why an event waits, and what that means in one sentence. A rule that is not among them gives its own name. */
const reasons: Readonly<Record<string, string>> = {
  "no-owner-known": "Nothing that is known says whose this was at that moment.",
  "several-owners": "Facts name more than one owner for that moment.",
  "between-owners": "It changed hands, and nothing says whether before or after that moment.",
  "alias-of-several":
    "The name, address or path by which the record speaks of it was borne by things of several owners.",
  "alias-unproven": "The record has a name, address or path only, and that proves nobody's.",
  "request-of-several": "The request that it belongs to worked for several owners, or none that is proven.",
  "caller-of-several": "Whoever asked for it works for several tenants, or the request was made for another.",
  "used-by-several": "Nothing states an owner, and accounts of several tenants have used it.",
  "mentioned-of-several": "What the record mentions belongs to several owners.",
  "ruling-contradicted": "Facts prove another owner than the one that an operator ruled.",
  "rulings-disagree": "Rulings that are both about it name different owners.",
};

/** The rules of the resolver, without their version, by what an event lacks where one of them has the last word. */
const lackingByRule: Readonly<Record<string, string>> = {
  "owner-interval": "between-owners",
  "address-interval": "alias-unproven",
  "alias-interval": "alias-unproven",
  "known-as": "alias-unproven",
  "name-in-place": "alias-unproven",
  "same-request": "request-of-several",
  "caller-of-one-tenant": "caller-of-several",
  "used-by-one": "used-by-several",
  mentioned: "mentioned-of-several",
};

const reasonCharsMax = 50;

/** Steps on the way to an owner, which say nothing of why there is none. */
const passingRules = new Set(["no-owner-known", "part-of", "project-domain", "stated-owner"]);

/**
 * Why no rule proves an owner: a short word for a group of the quarantine, never the same for an ambiguous answer and
 * an unresolved one; `ruled` where an operator's word stands in, undefined for what is proven.
 */
export function unprovenReason(attribution: Attribution): string | undefined {
  const { status, evidence } = attribution;
  if (status !== "ambiguous" && status !== "unresolved") return isRuled(attribution) ? "ruled" : undefined;
  const last = evidence.at(-1)?.rule;
  if (last === rulingRules.contradicted) return "ruling-contradicted";
  if (last === rulingRules.disagree) return "rulings-disagree";
  if (status === "ambiguous") {
    const byAlias = evidence.some(
      (step) => step.verdict === "accepted" && lackingOf(step) === "alias-unproven",
    );
    return byAlias ? "alias-of-several" : "several-owners";
  }
  const vain = evidence.findLast((step) => step.verdict === "rejected" && !passingRules.has(nameOf(step)));
  return vain === undefined ? "no-owner-known" : lackingOf(vain).slice(0, reasonCharsMax);
}

function lackingOf(step: Evidence): string {
  return lackingByRule[nameOf(step)] ?? nameOf(step);
}

/** What the reason means, in one sentence for an operator. */
export function explainReason(reason: string): string {
  return reasons[reason] ?? `The rule ${reason} has the last word, and finds no single owner.`;
}

/** True where the answer rests on what an operator decided. */
export function isRuled({ status, evidence }: Attribution): boolean {
  if (status === "ambiguous" || status === "unresolved") return false;
  return evidence.some(
    ({ rule, verdict }) => verdict === "accepted" && nameOf({ rule }) === rulingRules.decided,
  );
}

function nameOf({ rule }: Pick<Evidence, "rule">): string {
  return rule.split("/", 1)[0] ?? rule;
}
