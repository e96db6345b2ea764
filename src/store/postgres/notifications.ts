import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";
import type { NotificationRule, RuleMaker } from "../../model/notification.ts";
import type { Scope } from "../../model/scope.ts";
import type { NotificationStore, NotificationTally, RuleGroup, StandingRule } from "../notification-store.ts";
import { iso } from "./event-writes.ts";
import {
  claimDelivery,
  commitPass,
  enqueueMessage,
  readTold,
  reviveDead,
  settleDelivery,
  sweepNotifications,
} from "./notification-outbox.ts";
import {
  deliveryColumns,
  momentOf,
  standingColumns,
  standingJoin,
  toDelivery,
  toStandingRule,
  type DeliveryRow,
  type StandingRow,
} from "./notification-rows.ts";
import type { Pools } from "./pools.ts";
import { openView } from "./view.ts";

export function notificationStore(pools: Pools, claimKey: Uint8Array): NotificationStore {
  const write = <T>(action: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    pools.transact("ingest", "write", action);
  const read = <T>(action: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    pools.transact("ingest", "read", action);
  const within = <T>(scope: Scope, empty: T, look: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    openView(pools, claimKey, scope, empty, (client) => look(client));
  return {
    decide: (rule, mark) => write((client) => decide(client, rule, mark)),
    list: (scope, limit) =>
      within<readonly StandingRule[]>(scope, [], (client) =>
        readStanding(client, `true ORDER BY r.definition ->> 'name', s.rule LIMIT $1`, [limit]),
      ),
    find: (scope, id) =>
      within<StandingRule | undefined>(
        scope,
        undefined,
        async (client) => (await readStanding(client, "s.rule = $1", [id]))[0],
      ),
    history: (scope, id) =>
      within<readonly NotificationRule[]>(scope, [], async (client) => {
        const { rows } = await client.query<{ definition: NotificationRule }>(
          "SELECT definition FROM isochron.notification_rule WHERE id = $1 ORDER BY version DESC",
          [id],
        );
        return rows.map(({ definition }) => definition);
      }),
    deliveries: (scope, rule, limit) =>
      within<readonly ReturnType<typeof toDelivery>[]>(scope, [], async (client) => {
        const { rows } = await client.query<DeliveryRow>(
          `SELECT ${deliveryColumns} FROM isochron.notification_delivery d
            WHERE d.rule = $1 ORDER BY d.sequence DESC LIMIT $2`,
          [rule, limit],
        );
        return rows.map(toDelivery);
      }),
    delivery: (scope, id) =>
      within<ReturnType<typeof toDelivery> | undefined>(scope, undefined, async (client) => {
        const { rows } = await client.query<DeliveryRow>(
          `SELECT ${deliveryColumns} FROM isochron.notification_delivery d WHERE d.id = $1`,
          [id],
        );
        return rows[0] === undefined ? undefined : toDelivery(rows[0]);
      }),
    running: () => read((client) => readStanding(client, "s.enabled ORDER BY s.rule", [])),
    groups: (rule) => read((client) => readGroups(client, rule)),
    told: (rule, events) => read((client) => readTold(client, rule, events)),
    commit: (pass) => write((client) => commitPass(client, pass)),
    enqueue: (rule, draft, at) => write((client) => enqueueMessage(client, rule, draft, at)),
    claim: (at, holdMs, id) => write((client) => claimDelivery(client, at, holdMs, id)),
    settle: (claimed, outcome, at) => write((client) => settleDelivery(client, claimed, outcome, at)),
    revive: (rule, at, delivery) => write((client) => reviveDead(client, rule, at, delivery)),
    pause: (rule, why, at) => write((client) => pause(client, rule, why, at)),
    confirmMaker: (maker, at) => write((client) => confirmMaker(client, maker, at)),
    sweep: (before) => write((client) => sweepNotifications(client, before)),
    tally: () => read(tally),
  };
}

export async function readStanding(
  client: pg.ClientBase,
  condition: string,
  values: readonly unknown[],
): Promise<readonly StandingRule[]> {
  const { rows } = await client.query<StandingRow>(
    `SELECT ${standingColumns} FROM ${standingJoin} WHERE ${condition}`,
    [...values],
  );
  return rows.map(toStandingRule);
}

async function decide(client: pg.ClientBase, rule: NotificationRule, mark: string): Promise<StandingRule> {
  const { id, version, owner, reach, enabled, maker, decidedAt } = rule;
  // The row of the standing is the lock between two who edit at once.
  const { rowCount } =
    version === 1
      ? await client.query(
          `INSERT INTO isochron.notification_standing
             (rule, owner_key, visibility, version, enabled, mark, confirmed_at, maker)
           VALUES ($1, $2, $3, 1, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
          [id, owner, reach, enabled, mark, iso(decidedAt), JSON.stringify(maker)],
        )
      : await client.query(
          `UPDATE isochron.notification_standing
              SET version = $2, enabled = $3, maker = $4, confirmed_at = $5, paused_at = NULL, paused_why = NULL,
                  revision = revision + 1, mark = CASE WHEN enabled THEN mark ELSE $6 END
            WHERE rule = $1 AND version = $2 - 1 AND owner_key = $7 AND visibility = $8`,
          [id, version, enabled, JSON.stringify(maker), iso(decidedAt), mark, owner, reach],
        );
  if (rowCount === 0) {
    throw new IsochronError(
      "notification-changed",
      "The rule was changed meanwhile.",
      "Read it again and decide anew.",
    );
  }
  await client.query(
    `INSERT INTO isochron.notification_rule (id, version, owner_key, visibility, definition, decided_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, version, owner, reach, JSON.stringify(rule), iso(decidedAt)],
  );
  await forgetOtherGroups(client, id, version);
  const [standing] = await readStanding(client, "s.rule = $1", [id]);
  if (standing === undefined) throw new Error("the rule was not stored");
  return standing;
}

/** Groups of a version that looked at something else expect nothing and count nothing any more; what they hold back stays. */
async function forgetOtherGroups(client: pg.ClientBase, id: string, version: number): Promise<void> {
  await client.query(
    `UPDATE isochron.notification_group g
        SET memory = (g.memory - 'seenAt' - 'seenEvent' - 'severity') || '{"recent": [], "missing": false}'
       FROM isochron.notification_rule before, isochron.notification_rule after
      WHERE g.rule = $1 AND before.id = $1 AND before.version = $2 - 1 AND after.id = $1 AND after.version = $2
        AND (before.definition -> 'query', before.definition -> 'condition', before.definition -> 'groupBy')
            IS DISTINCT FROM (after.definition -> 'query', after.definition -> 'condition', after.definition -> 'groupBy')`,
    [id, version],
  );
}

async function readGroups(client: pg.ClientBase, rule: string): Promise<readonly RuleGroup[]> {
  const { rows } = await client.query<{ memory: RuleGroup }>(
    "SELECT memory FROM isochron.notification_group WHERE rule = $1 ORDER BY hash",
    [rule],
  );
  return rows.map(({ memory }) => memory);
}

async function pause(client: pg.ClientBase, rule: string, why: string, at: Instant): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE isochron.notification_standing SET paused_at = $2, paused_why = $3, revision = revision + 1
      WHERE rule = $1 AND paused_at IS NULL`,
    [rule, iso(at), why],
  );
  return rowCount !== 0;
}

async function confirmMaker(client: pg.ClientBase, maker: RuleMaker, at: Instant): Promise<void> {
  await client.query(
    `UPDATE isochron.notification_standing SET maker = $1, confirmed_at = $2 WHERE maker ->> 'subject' = $3`,
    [JSON.stringify(maker), iso(at), maker.subject],
  );
}

async function tally(client: pg.ClientBase): Promise<NotificationTally> {
  const { rows } = await client.query<Record<string, number | null>>(
    `SELECT (SELECT count(*) FROM isochron.notification_standing WHERE enabled) AS rules,
            (SELECT count(*) FROM isochron.notification_standing WHERE enabled AND paused_at IS NOT NULL) AS paused,
            (SELECT coalesce(sum(too_old), 0)::bigint FROM isochron.notification_standing) AS too_old,
            (SELECT coalesce(sum(messages), 0)::bigint FROM isochron.notification_standing) AS messages,
            count(*) FILTER (WHERE state = 'waiting' AND draft ->> 'kind' <> 'test') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead,
            count(*) FILTER (WHERE state = 'sent') AS sent,
            count(*) FILTER (WHERE state = 'withdrawn') AS withdrawn,
            min(made_at) FILTER (WHERE state = 'waiting' AND draft ->> 'kind' <> 'test' AND rule IN (
              SELECT s.rule FROM isochron.notification_standing s WHERE s.enabled)) AS oldest
       FROM isochron.notification_delivery`,
  );
  const row = rows[0] ?? {};
  const count = (name: string): number => row[name] ?? 0;
  const oldest = momentOf(row["oldest"]);
  return {
    rules: count("rules"),
    paused: count("paused"),
    waiting: count("waiting"),
    dead: count("dead"),
    sent: count("sent"),
    withdrawn: count("withdrawn"),
    tooOld: count("too_old"),
    messages: count("messages"),
    ...(oldest === undefined ? {} : { oldestWaitingAt: oldest }),
  };
}
