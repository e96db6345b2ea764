import { createHmac } from "node:crypto";
import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { NoticeSituation } from "../../model/notice.ts";
import type {
  NoticeTemplateChange,
  NoticeTemplateRecord,
  NoticeTemplateStore,
} from "../notice-template-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";

interface TemplateRow {
  readonly name: NoticeSituation;
  readonly version: number;
  readonly text: string | null;
  readonly decided_by: string;
  readonly why: string;
  readonly decided_at: number;
}

const columns = "name, version, text, decided_by, why, decided_at";

/** The key of places' aliases: a key of its own, so that no alias tells anything of a notice's id. */
export function aliasKeyOf(noticeSecret: Uint8Array): Uint8Array {
  return createHmac("sha256", noticeSecret).update("isochron/place-alias").digest();
}

export function noticeTemplateStore(pools: Pools): NoticeTemplateStore {
  const query = (sql: string, values: unknown[]): Promise<readonly NoticeTemplateRecord[]> =>
    pools.transact("provider", "read", async (client) =>
      (await client.query<TemplateRow>(sql, values)).rows.map(toRecord),
    );
  return {
    count: () =>
      pools.transact("provider", "read", async (client) => {
        const { rows } = await client.query<{ count: number }>(
          "SELECT count(*) AS count FROM isochron.notice_template",
        );
        return rows[0]?.count ?? 0;
      }),
    current: () =>
      query(
        `SELECT DISTINCT ON (name) ${columns} FROM isochron.notice_template ORDER BY name, version DESC`,
        [],
      ),
    history: (name) =>
      query(`SELECT ${columns} FROM isochron.notice_template WHERE name = $1 ORDER BY version DESC`, [name]),
  };
}

/** Writes one version more, in the decision's transaction. Throws `template-changed` where it is not the next one. */
export async function writeNoticeTemplate(
  client: pg.ClientBase,
  { record }: NoticeTemplateChange,
): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO isochron.notice_template (${columns})
     SELECT $1, $2, $3, $4, $5, $6::timestamptz
      WHERE $2 = 1 + (SELECT coalesce(max(version), 0) FROM isochron.notice_template WHERE name = $1)
     ON CONFLICT DO NOTHING`,
    [record.name, record.version, record.text, record.by, record.why, iso(record.decidedAt)],
  );
  if (rowCount === 1) return;
  throw new IsochronError(
    "template-changed",
    `The text for ${record.name} is not at version ${record.version - 1} any more.`,
    "Read it again, and decide again.",
  );
}

function toRecord(row: TemplateRow): NoticeTemplateRecord {
  return {
    name: row.name,
    version: row.version,
    text: row.text,
    by: row.decided_by,
    why: row.why,
    decidedAt: instant(row.decided_at),
  };
}
