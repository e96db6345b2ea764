import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import type { NearEvents, NearQuestion } from "../correlation-reader.ts";
import { toTenantEvent, type EditionRow } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import { split } from "./near-events.ts";
import type { View } from "./view.ts";

const ofThing = 24;
const inWindow = 150;
const symptomsInWindow = 80;
const afterwards = 60;
const thingsMax = 40;

/** Of a tenant's own editions what lies near, and of nothing else: no topology, no other tenant's, no number of them. */
export async function readNearEditions(
  client: pg.ClientBase,
  view: View,
  question: NearQuestion,
): Promise<Omit<NearEvents, "usual">> {
  const { window, longFrom, until } = question;
  const read = async (conditions: Conditions, most: number, order: "DESC" | "ASC") =>
    readNewest(client, view, conditions, { most, order });
  const things = question.starts.slice(0, thingsMax);
  const ofThings = [];
  for (const thing of things)
    ofThings.push(await read(subjectIs(thing, longFrom, window.to), ofThing, "DESC"));
  const changes = await read(between(window.from, window.to, ["change", "human"]), inWindow, "DESC");
  const symptoms = await read(
    between(window.from, window.to, ["symptom", "recovery"]),
    symptomsInWindow,
    "DESC",
  );
  const followed = await read(between(window.to, until, notActivity), afterwards, "ASC");
  const ways = [
    { of: "events of what is asked about", most: ofThing, reads: ofThings },
    { of: "changes in the window", most: inWindow, reads: [changes] },
    { of: "symptoms in the window", most: symptomsInWindow, reads: [symptoms] },
    { of: "events afterwards", most: afterwards, reads: [followed] },
    {
      of: "things asked about",
      most: thingsMax,
      reads: [{ more: question.starts.length > thingsMax, rows: [] }],
    },
  ];
  const rows = ways.flatMap(({ reads }) => reads.flatMap((one) => one.rows));
  const events = new Map(rows.map((row) => [row.id, toTenantEvent(row)]));
  return {
    ...split([...events.values()], question),
    cut: ways.filter(({ reads }) => reads.some(({ more }) => more)).map(({ of, most }) => ({ of, most })),
  };
}

const notActivity = ["change", "human", "symptom", "recovery"];

type Shown = EditionRow & { readonly recorded_at: number };
type Conditions = (parameters: Parameters) => string[];

function between(from: number, to: number, kinds: readonly string[]): Conditions {
  return (parameters) => [
    `occurred_at >= ${parameters.add(iso(from), "timestamptz")}`,
    `occurred_at < ${parameters.add(iso(to), "timestamptz")}`,
    `(kind = ANY(${parameters.add(kinds, "text[]")})${kinds.includes("change") ? " OR phase = 'start'" : ""})`,
  ];
}

function subjectIs({ kind, id }: EntityRef, from: number, to: number): Conditions {
  return (parameters) => [
    `subject_id = ${parameters.add(id, "text")}`,
    `subject_kind = ${parameters.add(kind, "text")}`,
    ...between(from, to, notActivity)(parameters),
  ];
}

async function readNewest(
  client: pg.ClientBase,
  view: View,
  conditions: Conditions,
  { most, order }: { readonly most: number; readonly order: "DESC" | "ASC" },
): Promise<{ readonly rows: readonly Shown[]; readonly more: boolean }> {
  const parameters = new Parameters();
  const wanted = conditions(parameters);
  const limit = parameters.add(most + 1, "integer");
  const tail = `ORDER BY occurred_at ${order}, id ${order} LIMIT ${limit}`;
  const { rows } = await client.query<Shown>(
    view.select(view.columns, wanted, parameters, tail),
    parameters.values,
  );
  return { rows: rows.slice(0, most), more: rows.length > most };
}
