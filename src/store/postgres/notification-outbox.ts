import { createHash } from "node:crypto";
import type pg from "pg";
import type { Instant } from "../../model/instant.ts";
import type { NotificationDelivery, NotificationDraft, NotificationRule } from "../../model/notification.ts";
import type { ClaimedDelivery, DeliveryOutcome, RulePass, ToldEvent } from "../notification-store.ts";
import { iso } from "./event-writes.ts";
import {
  deliveryColumns,
  standingColumns,
  standingJoin,
  toDelivery,
  toStandingRule,
  type DeliveryRow,
  type StandingRow,
} from "./notification-rows.ts";

/** An answer is kept as far as it helps to find out what is wrong. */
const answerCharsMax = 300;

export async function readTold(
  client: pg.ClientBase,
  rule: string,
  events: readonly string[],
): Promise<readonly ToldEvent[]> {
  if (events.length === 0) return [];
  const { rows } = await client.query<ToldEvent>(
    `SELECT t.event_id AS event, t.message, coalesce((SELECT draft ->> 'group' FROM isochron.notification_delivery d
                                                      WHERE d.id = t.message), '') AS group,
            (SELECT count(*)::integer FROM isochron.notification_told o WHERE o.message = t.message) AS standing
       FROM isochron.notification_told t WHERE t.rule = $1 AND t.event_id = ANY($2::text[])`,
    [rule, events],
  );
  return rows;
}

/** The place in the feed and the messages of what lies before it: neither is ever there without the other. */
export async function commitPass(
  client: pg.ClientBase,
  pass: RulePass,
): Promise<readonly string[] | undefined> {
  const { rule, drafts, at } = pass;
  const { rows } = await client.query<{ messages: number; owner_key: string; visibility: string }>(
    `UPDATE isochron.notification_standing
        SET mark = $3, revision = revision + 1, matched = matched + $4, too_old = too_old + $5, messages = messages + $6
      WHERE rule = $1 AND revision = $2 RETURNING messages, owner_key, visibility`,
    [rule, pass.revision, pass.mark, pass.matched, pass.tooOld, drafts.length],
  );
  const [standing] = rows;
  if (standing === undefined) return undefined;
  for (const group of pass.groups) {
    await client.query(
      `INSERT INTO isochron.notification_group (rule, hash, memory) VALUES ($1, $2, $3)
       ON CONFLICT (rule, hash) DO UPDATE SET memory = excluded.memory`,
      [rule, group.hash, JSON.stringify(group)],
    );
  }
  if (pass.untold.length > 0) {
    await client.query(
      "DELETE FROM isochron.notification_told WHERE rule = $1 AND event_id = ANY($2::text[])",
      [rule, pass.untold],
    );
  }
  const first = standing.messages - drafts.length;
  const ids: string[] = [];
  for (const [index, draft] of drafts.entries()) {
    ids.push(await insertMessage(client, { ...pass, ...standing }, draft, first + index + 1, at));
  }
  return ids;
}

/** A message's id is that of its place among its rule's: whoever makes it again makes the same one. */
async function insertMessage(
  client: pg.ClientBase,
  of: {
    readonly rule: string;
    readonly ruleVersion: number;
    readonly owner_key: string;
    readonly visibility: string;
  },
  draft: NotificationDraft,
  sequence: number,
  at: Instant,
): Promise<string> {
  const id = `msg_${createHash("sha256").update(`${of.rule}\n${sequence}`).digest("hex").slice(0, 32)}`;
  await client.query(
    `INSERT INTO isochron.notification_delivery
       (id, rule, rule_version, owner_key, visibility, sequence, draft, state, made_at, waiting_since, next_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $8, $8)`,
    [id, of.rule, of.ruleVersion, of.owner_key, of.visibility, sequence, JSON.stringify(draft), iso(at)],
  );
  if (draft.kind === "events" && draft.events.length > 0) {
    await client.query(
      `INSERT INTO isochron.notification_told (rule, event_id, message, told_at)
       SELECT $1, event, $2, $3 FROM unnest($4::text[]) AS event ON CONFLICT DO NOTHING`,
      [of.rule, id, iso(at), draft.events],
    );
  }
  return id;
}

export async function enqueueMessage(
  client: pg.ClientBase,
  rule: NotificationRule,
  draft: NotificationDraft,
  at: Instant,
): Promise<NotificationDelivery> {
  const { rows } = await client.query<{ messages: number; owner_key: string; visibility: string }>(
    `UPDATE isochron.notification_standing SET messages = messages + 1 WHERE rule = $1
      RETURNING messages, owner_key, visibility`,
    [rule.id],
  );
  const [standing] = rows;
  if (standing === undefined) throw new Error("the rule has no standing");
  const of = { rule: rule.id, ruleVersion: rule.version, ...standing };
  const id = await insertMessage(client, of, draft, standing.messages, at);
  const found = await client.query<DeliveryRow>(
    `SELECT ${deliveryColumns} FROM isochron.notification_delivery d WHERE d.id = $1`,
    [id],
  );
  const [row] = found.rows;
  if (row === undefined) throw new Error("the message was not stored");
  return toDelivery(row);
}

/** How many of an owner's messages are tried at once, so that slow targets of one leave workers to the others. */
const heldMax = { provider: 4, tenant: 1 };

/**
 * Of each rule only the oldest message that waits is to be had, so that no later one overtakes it; one that somebody
 * else holds is passed over, and so are the rules that rest, and owners of whom enough is under way. A test is for
 * whoever presses the button.
 */
export async function claimDelivery(
  client: pg.ClientBase,
  at: Instant,
  holdMs: number,
  id?: string,
): Promise<ClaimedDelivery | undefined> {
  const due =
    id === undefined
      ? `d.next_at <= $1 AND d.draft ->> 'kind' <> 'test' AND s.enabled AND s.paused_at IS NULL AND NOT EXISTS (
           SELECT FROM isochron.notification_delivery e WHERE e.rule = d.rule AND e.state = 'waiting'
              AND e.sequence < d.sequence AND e.draft ->> 'kind' <> 'test')
         AND d.owner_key NOT IN (
           SELECT h.owner_key FROM isochron.notification_delivery h WHERE h.state = 'waiting' AND h.claimed_until > $1
            GROUP BY h.owner_key
           HAVING count(*) >= CASE h.owner_key WHEN 'provider' THEN ${heldMax.provider} ELSE ${heldMax.tenant} END)`
      : "d.id = $3";
  const { rows } = await client.query<DeliveryRow & { claim: number }>(
    `UPDATE isochron.notification_delivery d
        SET claim = d.claim + 1, claimed_until = $1::timestamptz + $2::bigint * interval '1 millisecond'
      WHERE d.state = 'waiting' AND d.id = (
        SELECT d.id FROM isochron.notification_delivery d JOIN isochron.notification_standing s ON s.rule = d.rule
         WHERE d.state = 'waiting' AND (d.claimed_until IS NULL OR d.claimed_until <= $1::timestamptz) AND ${due}
         ORDER BY d.next_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED)
      RETURNING ${deliveryColumns}, d.claim`,
    id === undefined ? [iso(at), holdMs] : [iso(at), holdMs, id],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const delivery = toDelivery(row);
  const found = await client.query<StandingRow & { label: string | null; corrected: string | null }>(
    `SELECT ${standingColumns},
            (SELECT memory ->> 'label' FROM isochron.notification_group g WHERE g.rule = $1 AND g.hash = $2) AS label,
            (SELECT state FROM isochron.notification_delivery c WHERE c.id = $3 AND c.rule = $1) AS corrected
       FROM ${standingJoin} WHERE s.rule = $1`,
    [delivery.rule, delivery.draft.group, delivery.draft.corrects ?? ""],
  );
  const [standing] = found.rows;
  if (standing === undefined) throw new Error("the message has no rule");
  return {
    claim: row.claim,
    delivery,
    standing: toStandingRule(standing),
    groupLabel: standing.label ?? "",
    ...(standing.corrected === null
      ? {}
      : { corrected: standing.corrected as NotificationDelivery["state"] }),
  };
}

export async function settleDelivery(
  client: pg.ClientBase,
  { claim, delivery }: ClaimedDelivery,
  outcome: DeliveryOutcome,
  at: Instant,
): Promise<boolean> {
  const again = outcome.kind === "again";
  const counts = again ? outcome.counts : true;
  const { rowCount } = await client.query(
    `UPDATE isochron.notification_delivery
        SET state = $3, next_at = $4, settled_at = $5, last_answer = coalesce($6, last_answer), claimed_until = NULL,
            attempts = attempts + $7
      WHERE id = $1 AND claim = $2 AND state = 'waiting'`,
    [
      delivery.id,
      claim,
      again ? "waiting" : outcome.kind,
      iso(again ? outcome.nextAt : delivery.nextAt),
      again ? null : iso(at),
      outcome.answer?.slice(0, answerCharsMax) ?? null,
      counts && outcome.kind !== "withdrawn" ? 1 : 0,
    ],
  );
  return rowCount !== 0;
}

/** They wait again from now on, so that the time after which a message is given up begins anew. */
export async function reviveDead(
  client: pg.ClientBase,
  rule: string,
  at: Instant,
  delivery?: string,
): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE isochron.notification_delivery
        SET state = 'waiting', settled_at = NULL, next_at = $2, waiting_since = $2, claimed_until = NULL
      WHERE rule = $1 AND state = 'dead' AND ($3::text IS NULL OR id = $3)`,
    [rule, iso(at), delivery ?? null],
  );
  return rowCount ?? 0;
}

export async function sweepNotifications(client: pg.ClientBase, before: Instant): Promise<void> {
  await client.query(
    "DELETE FROM isochron.notification_delivery WHERE state <> 'waiting' AND settled_at < $1",
    [iso(before)],
  );
  await client.query("DELETE FROM isochron.notification_told WHERE told_at < $1", [iso(before)]);
  // A test that its maker did not hear the answer of is tried by nobody else.
  await client.query(
    "DELETE FROM isochron.notification_delivery WHERE state = 'waiting' AND draft ->> 'kind' = 'test' AND made_at < $1",
    [iso(before)],
  );
  // What is missing is remembered for as long as it may be missed, and what the rule expects of everything for ever.
  await client.query(
    `DELETE FROM isochron.notification_group g USING isochron.notification_standing s
       JOIN isochron.notification_rule r ON r.id = s.rule AND r.version = s.version
      WHERE s.rule = g.rule AND jsonb_array_length(g.memory -> 'held') = 0
        AND coalesce((g.memory ->> 'quietUntil')::bigint, 0) < $1::bigint
        AND coalesce((g.memory ->> 'seenAt')::bigint, 0) < $1::bigint
            - coalesce((r.definition #>> '{condition,spanMs}')::bigint, 0)
        AND NOT (r.definition #>> '{condition,kind}' = 'absence' AND g.memory ->> 'label' = '')`,
    [before],
  );
}
