import type { StandingRule } from "../../store/notification-store.ts";
import { pauseRule, type NotifyTools } from "./notify-tools.ts";
import { openIncidents } from "./rule-incidents.ts";
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
    await openIncidents(tools, rule, right.scope, step.drafts);
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
