import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { NotificationDelivery, NotificationFormat } from "../../model/notification.ts";
import type { Scope } from "../../model/scope.ts";
import type { ClaimedDelivery, DeliveryOutcome } from "../../store/notification-store.ts";
import { writeAlert } from "./alertmanager-message.ts";
import { planNext } from "./delivery-plan.ts";
import type { NotificationMessage, SpelledEvent, WrittenMessage } from "./message.ts";
import { spelledEventsMax } from "./message.ts";
import { writeCloudEvent, writeWebhook } from "./message-json.ts";
import type { PostAnswer } from "./message-post.ts";
import { pauseRule, type NotifyTools } from "./notify-tools.ts";
import { writeSlack } from "./slack-message.ts";
import { signWebhook } from "./webhook-signature.ts";

/** Longer than any try takes: whoever dies with a message in hand is replaced so soon. */
export const claimMs = 60_000;

const restMs = 60_000;

const writers: Readonly<
  Record<NotificationFormat, (message: NotificationMessage) => WrittenMessage | undefined>
> = { cloudevents: writeCloudEvent, slack: writeSlack, alertmanager: writeAlert, webhook: writeWebhook };

/**
 * Tries the message that is due, or the one of the id, once. Undefined where there is none; else whether it was the last
 * word on it. The content is read now, with the right that the rule has now: what was taken away since is not sent.
 */
export async function deliverNext(
  tools: NotifyTools,
  signal: AbortSignal,
  id?: string,
): Promise<DeliveryOutcome | undefined> {
  const claimed = await tools.store.claim(tools.now(), claimMs, id);
  if (claimed === undefined) return undefined;
  const outcome = await tryOnce(tools, claimed, signal);
  await tools.store.settle(claimed, outcome, tools.now());
  if (outcome.kind === "dead" && outcome.answer?.startsWith("The target answered 410") === true) {
    await pauseRule(
      tools,
      claimed.standing.rule,
      "Its target answered 410: nobody takes messages there any more.",
    );
  }
  return outcome;
}

async function tryOnce(
  tools: NotifyTools,
  claimed: ClaimedDelivery,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const { delivery, standing } = claimed;
  const { rule } = standing;
  const at = tools.now();
  const right = await tools.rightOf(standing);
  if ("problem" in right) {
    await pauseRule(tools, rule, right.problem);
    return { kind: "again", nextAt: instant(at + restMs), counts: false, answer: right.problem };
  }
  const message = await spellMessage(tools, claimed, right.scope);
  const written = message === undefined ? undefined : writers[rule.format](message);
  if (written === undefined) return { kind: "withdrawn" };
  const answer = await post(tools, claimed, written, signal);
  return planNext(delivery, conceal(tools, answer), tools.now(), tools.random);
}

async function post(
  tools: NotifyTools,
  { delivery, standing: { rule } }: ClaimedDelivery,
  { body, contentType, path }: WrittenMessage,
  signal: AbortSignal,
): Promise<PostAnswer> {
  try {
    const { url, signingSecret, authorization } = tools.openTarget(rule);
    const headers = {
      "content-type": contentType,
      "user-agent": "isochron",
      ...signWebhook(delivery.id, tools.now(), body, signingSecret),
      ...(authorization === undefined ? {} : { authorization }),
    };
    const { poster } = tools.outletOf(rule.owner);
    const whole = path === undefined ? url : under(url, path);
    return await poster.post({ lane: rule.owner, url: whole, headers, body }, signal);
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "config-invalid") throw error;
    return { kind: "unanswered", problem: error.problem };
  }
}

/** The receiver's own path, unless the address has it already. */
function under(url: string, path: string): string {
  const target = new URL(url);
  if (!target.pathname.endsWith(path)) target.pathname = target.pathname.replace(/\/+$/, "") + path;
  return target.href;
}

function conceal(tools: NotifyTools, answer: PostAnswer): PostAnswer {
  if (answer.kind === "answered") return { ...answer, excerpt: tools.conceal(answer.excerpt) };
  return answer.kind === "unanswered" ? { ...answer, problem: tools.conceal(answer.problem) } : answer;
}

/** Undefined where nothing is left of it that its reader may be told. */
async function spellMessage(
  tools: NotifyTools,
  claimed: ClaimedDelivery,
  scope: Scope,
): Promise<NotificationMessage | undefined> {
  const { delivery, standing, groupLabel, corrected } = claimed;
  const { draft } = delivery;
  const { rule } = standing;
  if (draft.kind === "correction" && (corrected === "withdrawn" || corrected === "dead")) return undefined;
  const { spelled, gone } = await spellEvents(tools, draft, scope);
  const tellsOfEvents = draft.kind === "events" || (draft.kind !== "test" && draft.events.length > 0);
  if (tellsOfEvents && spelled.length === 0) return undefined;
  const isAbsence = draft.kind === "absence";
  const completeTo = isAbsence ? (await tools.reader.coverage(scope)).completeTo : undefined;
  return {
    id: delivery.id,
    kind: draft.kind,
    rule: { id: rule.id, name: rule.name, severity: rule.query.severity ?? "warning" },
    group: draft.group,
    groupLabel: draft.kind === "correction" || draft.kind === "test" ? "" : groupLabel,
    madeAt: delivery.madeAt,
    events: isAbsence ? [] : spelled,
    more: isAbsence ? 0 : draft.events.length - gone - spelled.length + draft.more,
    late: draft.late,
    ...(draft.since === undefined ? {} : { since: draft.since }),
    ...(completeTo === undefined ? {} : { completeTo }),
    ...(draft.corrects === undefined ? {} : { corrects: draft.corrects, whole: draft.whole === true }),
  };
}

/** The first that are still to be seen; `gone` are those before them that are not. */
async function spellEvents(
  tools: NotifyTools,
  draft: NotificationDelivery["draft"],
  scope: Scope,
): Promise<{ readonly spelled: readonly SpelledEvent[]; readonly gone: number }> {
  const spelled: SpelledEvent[] = [];
  let gone = 0;
  for (const id of draft.kind === "correction" ? [] : draft.events) {
    if (spelled.length === spelledEventsMax) break;
    const visible = await tools.reader.event(scope, id);
    if (visible === undefined) gone += 1;
    else spelled.push(spellEvent(visible.event));
  }
  return { spelled, gone };
}

function spellEvent(event: SpelledEvent): SpelledEvent {
  const { id, type, kind, severity, occurredAt, summary, subject, subjectName } = event;
  const named = subjectName === undefined ? {} : { subjectName };
  return { id, type, kind, severity, occurredAt, summary, subject, ...named };
}
