import type pg from "pg";
import type { AttributeCounts, AttributeQuestion, EventFilter } from "../event-reader.ts";
import { conditionsOf, Parameters } from "./filter.ts";
import { findText } from "./text-search.ts";
import type { View } from "./view.ts";

/** So many events of the selection, and of the whole baseline, are counted: the newest, where there are more. */
const insideMax = 20_000;
const outsideMax = 60_000;

/** So many values are told; which are left out does not depend on which side they are on, or the test would be biased. */
const valuesMax = 2_000;
const valueCharsMax = 200;

/** Kinds of things that events mention, each an attribute of its own. */
const mentionedKinds = [
  "host",
  "backend",
  "image",
  "flavor",
  "network",
  "volume_type",
  "aggregate",
  "service",
  "router",
  "hypervisor",
];

const columns = `id, occurred_at, type, kind, severity, category, phase, subject_kind, subject_id, mentions,
  left(summary, 500) AS words, details`;

/** By audience: what a tenant's editions do not have is no attribute of theirs. */
const ownColumns = {
  provider: "connection, source, actor, attribution",
  tenant: "project_id, notice",
} as const;

const exceptionPattern =
  "\\m[A-Z][A-Za-z0-9_]*(?:Error|Exception|Timeout|TimedOut|Refused|NotFound|Conflict|Failed|Fault)\\M";
const codePattern = "(?:HTTP|status|code|error)[^0-9]{0,3}([1-5][0-9]{2})\\M";

const plainAttributes = `('type', type), ('kind', kind), ('category', category), ('phase', phase),
  ('severity', (ARRAY['info', 'warning', 'error', 'critical'])[severity + 1]),
  ('subject kind', subject_kind), ('subject', subject_kind || '/' || subject_id),
  ('exception', CASE WHEN kind = 'symptom' OR severity >= 2 OR phase = 'error'
     THEN coalesce(details ->> 'exception', substring(words FROM '${exceptionPattern}')) END),
  ('error code', CASE WHEN kind = 'symptom' OR severity >= 2 OR phase = 'error'
     THEN coalesce(details ->> 'error_code', substring(words FROM '${codePattern}')) END)`;

const ownAttributes = {
  provider: `('connection', connection), ('source', source),
    ('actor', coalesce(actor ->> 'userName', actor ->> 'userId'))`,
  tenant: `('project', project_id), ('shared cause', CASE WHEN notice THEN 'yes' END)`,
} as const;

const owners = `UNION ALL SELECT DISTINCT 'tenant', coalesce('project/' || (tenant ->> 'projectId'), 'domain/' || (tenant ->> 'domainId'))
  FROM jsonb_array_elements(CASE attribution ->> 'status'
         WHEN 'owned' THEN jsonb_build_array(attribution -> 'tenant')
         WHEN 'shared' THEN jsonb_path_query_array(attribution, '$.affected[*].tenant')
         ELSE '[]' END) AS tenant`;

/** What a scope without a row of its own is answered. */
export function nothingCounted({ baseline }: AttributeQuestion): AttributeCounts {
  return { inside: 0, outside: baseline.spans.map(() => 0), truncated: false, values: [] };
}

interface CountRow {
  readonly attribute: string;
  readonly value: string;
  readonly inside: number;
  readonly outside: number;
}

/** Counts in one statement: of each event each attribute's value once, and under `#` which part it is of. */
export async function countAttributes(
  client: pg.ClientBase,
  view: View,
  question: AttributeQuestion,
): Promise<AttributeCounts> {
  const parameters = new Parameters();
  const { selection, baseline } = question;
  const eachMax = Math.max(1, Math.floor(outsideMax / Math.max(1, baseline.spans.length)));
  const ofSelection = await conditionsFor(client, view, selection, parameters);
  const inside = select(view, ofSelection, parameters, insideMax);
  const parts = [`SELECT 0 AS part, picked.* FROM (${inside}) AS picked`];
  for (const [index, span] of baseline.spans.entries()) {
    const conditions = await conditionsFor(client, view, { ...baseline.filter, ...span }, parameters);
    conditions.push(`(${ofSelection.join(" AND ")}) IS NOT TRUE`);
    const usual = select(view, conditions, parameters, eachMax);
    parts.push(`SELECT ${index + 1}, picked.* FROM (${usual}) AS picked`);
  }
  const kinds = parameters.add(mentionedKinds, "text[]");
  const { rows } = await client.query<CountRow>(
    `WITH picked AS MATERIALIZED (${parts.join(" UNION ALL ")})
     SELECT attribute, left(value, ${valueCharsMax}) AS value,
            count(*) FILTER (WHERE part = 0) AS inside, count(*) FILTER (WHERE part > 0) AS outside
       FROM picked CROSS JOIN LATERAL (
         SELECT * FROM (VALUES ('#', part::text), ${plainAttributes}, ${ownAttributes[view.audience]}) AS plain
         UNION ALL SELECT split_part(mention, ':', 1), substr(mention, strpos(mention, ':') + 1)
           FROM unnest(mentions) AS mention WHERE split_part(mention, ':', 1) = ANY(${kinds})
         ${view.audience === "provider" ? owners : ""}) AS told (attribute, value)
      WHERE value <> ''
      GROUP BY 1, 2 HAVING count(*) > 1 OR attribute = '#'
      ORDER BY attribute <> '#', count(*) DESC, 1, 2 LIMIT ${valuesMax + baseline.spans.length + 1}`,
    parameters.values,
  );
  return toCounts(rows, question, eachMax);
}

async function conditionsFor(
  client: pg.ClientBase,
  view: View,
  filter: EventFilter,
  parameters: Parameters,
): Promise<string[]> {
  const holdingText = await findText(client, view, filter);
  return conditionsOf(filter, view.audience, parameters, holdingText);
}

function select(view: View, conditions: readonly string[], parameters: Parameters, limit: number): string {
  const tail = `ORDER BY occurred_at DESC, id DESC LIMIT ${parameters.add(limit + 1, "integer")}`;
  return view.select(`${columns}, ${ownColumns[view.audience]}`, conditions, parameters, tail);
}

function toCounts(
  rows: readonly CountRow[],
  { baseline }: AttributeQuestion,
  eachMax: number,
): AttributeCounts {
  const parts = new Map<number, number>();
  for (const row of rows.filter(({ attribute }) => attribute === "#"))
    parts.set(Number(row.value), row.inside + row.outside);
  const values = rows.filter(({ attribute }) => attribute !== "#");
  const inside = parts.get(0) ?? 0;
  const outside = baseline.spans.map((_, index) => parts.get(index + 1) ?? 0);
  return {
    inside,
    outside,
    truncated: inside > insideMax || outside.some((count) => count > eachMax) || values.length > valuesMax,
    values,
  };
}
