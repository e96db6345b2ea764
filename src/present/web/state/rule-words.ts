import type {
  CreateRuleJson,
  DeliveryJson,
  EditRuleJson,
  RuleJson,
} from "../../api/notification-contract.ts";
import type { GrantJson } from "../../api/session-contract.ts";

/** What somebody fills in for a new rule; numbers as they are typed. */
export interface RuleDraft {
  readonly name: string;
  readonly url: string;
  readonly format: CreateRuleJson["format"];
  readonly types: string;
  readonly severity: "" | "info" | "warning" | "error" | "critical";
  readonly text: string;
  readonly condition: "each" | "at-least" | "absence" | "severity-rise";
  readonly count: string;
  readonly minutes: string;
  readonly groupBy: "" | "resource" | "type" | "tenant" | "host";
  readonly quietMinutes: string;
}

export const emptyRule: RuleDraft = {
  name: "",
  url: "",
  format: "webhook",
  types: "",
  severity: "",
  text: "",
  condition: "each",
  count: "5",
  minutes: "10",
  groupBy: "",
  quietMinutes: "0",
};

/** A tenant that somebody can make rules for. */
export interface RuleOwner {
  readonly name: string;
  readonly owner: NonNullable<CreateRuleJson["owner"]>;
}

/** Each tenant that the session administers, once; none for the provider, whose rules are its own. */
export function ruleOwners(
  current: { readonly kind: string; readonly grants: readonly GrantJson[] } | undefined,
): readonly RuleOwner[] {
  if (current?.kind !== "tenant") return [];
  const owners = current.grants.flatMap(({ role, scope, control_plane: plane, ...ids }) => {
    const id = scope === "project" ? ids.project_id : scope === "domain" ? ids.domain_id : undefined;
    if (role !== "admin" || plane === undefined || id === undefined) return [];
    const owner = {
      control_plane: plane,
      ...(scope === "project" ? { project_id: id } : { domain_id: id }),
    };
    return [{ name: `${scope} ${id} (${plane})`, owner }];
  });
  return [...new Map(owners.map((one) => [one.name, one])).values()];
}

/** The body of the request; undefined while something is missing. */
export function ruleBody(draft: RuleDraft, owner?: CreateRuleJson["owner"]): CreateRuleJson | undefined {
  const condition = conditionOf(draft);
  const quiet = wholeNumber(draft.quietMinutes, 0);
  if (draft.name.trim() === "" || !/^https?:\/\/\S+$/.test(draft.url.trim())) return undefined;
  if (condition === undefined || quiet === undefined) return undefined;
  const types = draft.types
    .split(",")
    .map((type) => type.trim())
    .filter((type) => type !== "");
  return {
    name: draft.name.trim(),
    url: draft.url.trim(),
    format: draft.format,
    query: {
      ...(types.length === 0 ? {} : { type: types }),
      ...(draft.severity === "" ? {} : { severity: draft.severity }),
      ...(draft.text.trim() === "" ? {} : { q: draft.text.trim() }),
    },
    condition,
    group_by: draft.groupBy === "" ? [] : [draft.groupBy],
    quiet_seconds: quiet * 60,
    ...(owner === undefined ? {} : { owner }),
  };
}

function conditionOf({ condition, count, minutes }: RuleDraft): CreateRuleJson["condition"] {
  if (condition === "each" || condition === "severity-rise") return { kind: condition };
  const [many, span] = [wholeNumber(count, 2), wholeNumber(minutes, 1)];
  if (span === undefined) return undefined;
  if (condition === "absence") return { kind: "absence", span_seconds: span * 60 };
  return many === undefined ? undefined : { kind: "at-least", count: many, within_seconds: span * 60 };
}

function wholeNumber(text: string, least: number): number | undefined {
  const number = Number(text);
  return /^\d{1,6}$/.test(text.trim()) && number >= least ? number : undefined;
}

/** The same rule, running or not; what it sends stays as it is. */
export function switchBody(rule: RuleJson, enabled: boolean): EditRuleJson {
  const { name, query, condition, group_by, quiet_seconds, horizon_hours, format, opens_incident } = rule;
  const { signing_secret: signing, authorization } = rule.target;
  return {
    name,
    query,
    condition,
    group_by,
    quiet_seconds,
    horizon_hours,
    format,
    opens_incident,
    enabled,
    expected_version: rule.version,
    ...(signing === null ? {} : { signing_secret: signing }),
    ...(authorization === null ? {} : { authorization }),
  };
}

/** When it tells, in a sentence's part. */
export function conditionWords({ condition, group_by: groupBy, quiet_seconds: quiet }: RuleJson): string {
  const per = groupBy.length === 0 ? "" : ` for each ${groupBy.join(" and ")}`;
  const rest = quiet === 0 ? "" : `, at most once in ${lengthWords(quiet)}`;
  return `${whenWords(condition)}${per}${rest}`;
}

function whenWords(condition: RuleJson["condition"]): string {
  switch (condition.kind) {
    case "each":
      return "each event";
    case "at-least":
      return `${condition.count} events within ${lengthWords(condition.within_seconds)}`;
    case "absence":
      return `none for ${lengthWords(condition.span_seconds)}`;
    case "severity-rise":
      return "a rise of severity";
    case "incident-state":
      return `an incident becomes ${condition.states.join(" or ")}`;
  }
}

export function lengthWords(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** What it looks at; all events where nothing narrows it. */
export function queryWords({ query }: RuleJson): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`${name === "q" ? "text" : name} ${Array.isArray(value) ? value.join(", ") : value}`],
  );
  return parts.length === 0 ? "all that may be seen" : parts.join("; ");
}

export function deliveryWords({ state, kind, events, attempts, last_answer: answer }: DeliveryJson): string {
  const what = kind === "events" ? `${events} ${events === 1 ? "event" : "events"}` : kind;
  const tries = attempts > 1 ? `, ${attempts} tries` : "";
  return `${what}: ${state}${tries}${answer === null ? "" : `. ${answer}`}`;
}
