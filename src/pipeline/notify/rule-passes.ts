import { createHash } from "node:crypto";
import { formatInstant } from "../../model/instant.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import type { StandingRule } from "../../store/notification-store.ts";
import { pauseRule, type NotifyTools } from "./notify-tools.ts";
import { stepRule, type RuleStep } from "./rule-step.ts";

/** A look is one message at most where all that it shows is one group's. */
const lookEvents = 100;

/** So many looks of one rule before the others have their turn. */
const looksMax = 20;

/**
 * Takes a rule as far as its feed goes. Each look reads with the rule's own right on its reader's login, and commits its
 * place with its messages; where somebody else was quicker, nothing is written and the look is forgotten. Gives the
 * number of messages made.
 */
export async function passRule(tools: NotifyTools, of: StandingRule): Promise<number> {
  const { rule } = of;
  const right = await tools.rightOf(of);
  if ("problem" in right) {
    await pauseRule(tools, rule, right.problem);
    return 0;
  }
  const passes = await tools.matcherOf(rule, right.scope);
  let { mark, revision } = of.standing;
  let made = 0;
  for (let looks = 0; looks < looksMax; looks += 1) {
    const page = await tools.reader.feed(right.scope, { mark }, lookEvents);
    const ids = [...page.events.map(({ event }) => event.id), ...page.retracted];
    const told = await tools.store.told(rule.id, ids);
    const at = tools.now();
    const look = { events: page.events, retracted: page.retracted, told };
    const step = stepRule(rule, await tools.store.groups(rule.id), look, passes, at);
    const next = page.position.mark ?? mark;
    if (next === mark && isNothing(step)) break;
    await openIncidents(tools, of, step);
    const { drafts, groups, untold, matched, tooOld } = step;
    const pass = { rule: rule.id, ruleVersion: rule.version, revision, mark: next, at };
    const ids2 = await tools.store.commit({ ...pass, drafts, groups, untold, matched, tooOld });
    if (ids2 === undefined) break;
    made += ids2.length;
    mark = next;
    revision += 1;
    if (ids.length === 0) break;
  }
  return made;
}

function isNothing({ drafts, groups, untold, matched, tooOld }: RuleStep): boolean {
  return drafts.length + groups.length + untold.length + matched + tooOld === 0;
}

/** Before the commit: whoever takes the step again finds the incident that the key had opened. */
async function openIncidents(tools: NotifyTools, { rule }: StandingRule, step: RuleStep): Promise<void> {
  const { incidents } = tools;
  if (incidents === undefined || !rule.opensIncident || rule.owner !== "provider") return;
  for (const draft of step.drafts) {
    if (draft.kind !== "events" && draft.kind !== "absence") continue;
    await incidents.open(openingOf(tools, rule, draft));
  }
}

function openingOf(
  tools: NotifyTools,
  rule: StandingRule["rule"],
  draft: NotificationDraft,
): Parameters<NonNullable<NotifyTools["incidents"]>["open"]>[0] {
  const at = tools.now();
  const day = formatInstant(at).slice(0, 10);
  const key = createHash("sha256").update(`${rule.id}\n${draft.group}\n${day}`).digest("hex");
  return {
    origin: "rule",
    by: `rule ${rule.name}`,
    at,
    key: `notification:${key}`,
    changes: [
      { kind: "title", title: rule.name },
      { kind: "window", from: draft.since ?? at },
      ...draft.events.slice(0, 20).map((event) => ({ kind: "pin", event }) as const),
    ],
  };
}
