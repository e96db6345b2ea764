import type pg from "pg";
import { entityKey } from "../../model/entity.ts";
import type { EntitySymptoms, SymptomQuestion, VisibleEvent } from "../event-reader.ts";
import type { EventRow } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import { toVisible, type View } from "./view.ts";

/** So many symptoms of a span are looked through; beyond it the counts are at least what they say. */
const symptomsMax = 5_000;

/** Trouble that somebody was told of, and changes that failed: no activity, so that the index by subject serves. */
const isTrouble = "kind <> 'activity' AND ((kind = 'symptom' AND severity > 0) OR phase = 'error')";

interface SymptomRow {
  readonly count: number;
}

/** Of each of the entities what went wrong about it, in view. */
export async function readSymptoms(
  client: pg.ClientBase,
  view: View,
  question: SymptomQuestion,
): Promise<readonly EntitySymptoms[]> {
  if (question.entities.length === 0) return [];
  const found = new Map<string, { count: number; first: VisibleEvent[] }>();
  for (const row of await readAlone(client, view, question)) {
    const visible = toVisible(view, row);
    const known = found.get(entityKey(visible.event.subject)) ?? { count: row.count, first: [] };
    known.first.push(visible);
    found.set(entityKey(visible.event.subject), known);
  }
  const folds = await readFolded(client, view, question);
  for (const { key, count, fold } of folds) {
    const known = found.get(key) ?? { count: 0, first: [] };
    known.count += count;
    if (!known.first.some(({ event }) => event.id === fold.event.id)) known.first.push(fold);
    found.set(key, known);
  }
  return question.entities.flatMap((entity) => {
    const symptoms = found.get(entityKey(entity));
    if (symptoms === undefined || symptoms.count === 0) return [];
    const first = symptoms.first.toSorted(inOrder).slice(0, question.eachMax);
    return [{ entity, count: symptoms.count, first }];
  });
}

/** What stands by itself. A fold stands for others, and its own subject is but the first of theirs. */
async function readAlone(
  client: pg.ClientBase,
  view: View,
  { entities, from, to, eachMax, except }: SymptomQuestion,
): Promise<readonly (EventRow & SymptomRow)[]> {
  const parameters = new Parameters();
  const keys = parameters.add(entities.map(entityKey), "text[]");
  const conditions = [
    `occurred_at >= ${parameters.add(iso(from), "timestamptz")}`,
    `occurred_at < ${parameters.add(iso(to), "timestamptz")}`,
    isTrouble,
    `subject_id = ANY(${parameters.add([...new Set(entities.map(({ id }) => id))], "text[]")})`,
    `subject_kind || ':' || subject_id = ANY(${keys})`,
    `id <> ALL(${parameters.add(except, "text[]")})`,
    "details #>> '{storm,count}' IS NULL",
    // What a notice tells of was not seen on the resource itself.
    ...(view.audience === "tenant" ? ["NOT notice"] : []),
  ];
  const limit = parameters.add(symptomsMax, "integer");
  const seen = view.select(
    view.columns,
    conditions,
    parameters,
    `ORDER BY occurred_at ASC, id ASC LIMIT ${limit}`,
  );
  const ofEach = "PARTITION BY subject_kind, subject_id";
  const { rows } = await client.query<EventRow & SymptomRow>(
    `SELECT * FROM (
       SELECT seen.*, count(*) OVER (${ofEach}) AS count,
              row_number() OVER (${ofEach} ORDER BY occurred_at, id) AS nth FROM (${seen}) AS seen) AS numbered
      WHERE nth <= ${parameters.add(eachMax, "integer")} ORDER BY occurred_at, id`,
    parameters.values,
  );
  return rows;
}

interface FoldedRow {
  readonly subject_key: string;
  readonly fold: string;
  readonly count: number;
}

async function readFolded(
  client: pg.ClientBase,
  view: View,
  { entities, from, to, except }: SymptomQuestion,
): Promise<readonly { readonly key: string; readonly count: number; readonly fold: VisibleEvent }[]> {
  const parameters = new Parameters();
  const [fold, table] =
    view.audience === "provider" ? ["fold_id", "storm_member"] : ["event_id", "storm_member_edition"];
  const keys = parameters.add(entities.map(entityKey), "text[]");
  const within = [
    `subject_key = ANY(${keys})`,
    `occurred_at >= ${parameters.add(iso(from), "timestamptz")}`,
    `occurred_at < ${parameters.add(iso(to), "timestamptz")}`,
    // The provider's classes are asked of the folds, which members share with them.
    ...(view.audience === "tenant" ? [view.own(parameters)] : []),
  ];
  const { rows } = await client.query<FoldedRow>(
    `SELECT subject_key, ${fold} AS fold, count(*) AS count FROM isochron.${table}
      WHERE ${within.join(" AND ")} GROUP BY subject_key, ${fold} ORDER BY subject_key, fold
      LIMIT ${parameters.add(symptomsMax, "integer")}`,
    parameters.values,
  );
  if (rows.length === 0) return [];
  const folds = await readFolds(client, view, [...new Set(rows.map((row) => row.fold))], except);
  return rows.flatMap(({ subject_key: key, count, fold: id }) => {
    const visible = folds.get(id);
    return visible === undefined ? [] : [{ key, count, fold: visible }];
  });
}

async function readFolds(
  client: pg.ClientBase,
  view: View,
  ids: readonly string[],
  except: readonly string[],
): Promise<ReadonlyMap<string, VisibleEvent>> {
  const parameters = new Parameters();
  const conditions = [
    `id = ANY(${parameters.add(ids, "text[]")})`,
    `id <> ALL(${parameters.add(except, "text[]")})`,
    isTrouble,
  ];
  const tail = `ORDER BY occurred_at, id LIMIT ${parameters.add(ids.length, "integer")}`;
  const sql = view.select(view.columns, conditions, parameters, tail);
  const { rows } = await client.query<EventRow>(sql, parameters.values);
  return new Map(rows.map((row) => [row.id, toVisible(view, row)]));
}

function inOrder({ event: a }: VisibleEvent, { event: b }: VisibleEvent): number {
  return a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1);
}
