import { setTimeout } from "node:timers/promises";
import type pg from "pg";
import { duration, instant } from "../../src/model/instant.ts";
import type { Scope } from "../../src/model/scope.ts";
import { projectKey } from "../../src/model/tenant.ts";
import { findBlast } from "../../src/pipeline/blast.ts";
import { findWhatElse, type WhatElseQuestion } from "../../src/pipeline/what-else.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import { findSource } from "../../src/sources/registry.ts";
import type { Store } from "../../src/store/store.ts";

/** Milliseconds of so many questions of one kind. */
export interface Timing {
  readonly question: string;
  readonly asked: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Pages of 8 KiB that the server looked at for one question, from memory or disk: what does not depend on who else works. */
  readonly pages: number;
}

interface Symptom {
  readonly id: string;
  readonly at: number;
  readonly plane: string;
  readonly kind: string;
  readonly subject: string;
  readonly project: string | null;
}

const windowMs = duration(3 * 3_600_000);
const limit = 20;
const auditor: Scope = { kind: "provider" };
const operator: Scope = { kind: "provider", security: "withheld" };

type Kind = readonly [string, readonly Symptom[], (one: Symptom, nth: number) => Promise<unknown>];

/** Asks each kind of question of events spread over the last days; the first of each kind are not timed. */
export async function askAll(
  open: () => Promise<Store>,
  sql: pg.Client,
  times: number,
): Promise<readonly Timing[]> {
  const symptoms = await pick(sql, times, "server");
  const hosts = await pick(sql, times, "host");
  const timings: Timing[] = [];
  for (let nth = 0; ; nth += 1) {
    const pages = await countPages(sql);
    const store = await open();
    const kind = kindsOf(store, symptoms, hosts)[nth];
    const timing = kind === undefined ? undefined : await time(...kind);
    await store.close();
    if (kind === undefined || timing === undefined) return timings;
    timings.push({ ...timing, pages: Math.round(((await countPages(sql)) - pages) / kind[1].length) });
  }
}

const waitsMax = 100;

/** Counted once all sessions are over, since a session tells its count at its end. */
async function countPages(sql: pg.Client): Promise<number> {
  for (let waits = 0; waits < waitsMax; waits += 1) {
    const { rows } = await sql.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    if (rows.length === 0) break;
    await setTimeout(50);
  }
  const { rows } = await sql.query<{ pages: number }>(
    `SELECT (blks_hit + blks_read)::float8 AS pages FROM pg_stat_database WHERE datname = current_database()`,
  );
  return rows[0]?.pages ?? 0;
}

function kindsOf(store: Store, symptoms: readonly Symptom[], hosts: readonly Symptom[]): readonly Kind[] {
  const parts = {
    reader: store.reader,
    topology: store.topology,
    correlation: store.correlation,
    maintenance: store.maintenance,
    buildView: buildTopologyView,
    clockErrorOf: (name: string) => findSource(name).contract.clockErrorMax,
  };
  const what = (scope: Scope, question: Omit<WhatElseQuestion, "windowMs" | "limit">) =>
    findWhatElse(parts, scope, { windowMs, limit, ...question });
  const blast = (scope: Scope, event: string) =>
    findBlast(parts, scope, {
      events: [event],
      resources: [],
      windowMs: duration(3_600_000),
      hops: 4,
      limit: 50,
    });
  const tenantOf = ({ plane, project }: Symptom): Scope => ({
    kind: "tenant",
    label: "tenant",
    keys: [projectKey(plane, project ?? "project-0")],
  });
  return [
    ["what else: a server's symptom, auditor", symptoms, ({ id }) => what(auditor, { events: [id] })],
    ["what else: a server's symptom, operator", symptoms, ({ id }) => what(operator, { events: [id] })],
    [
      "what else: a server's symptom, its tenant",
      symptoms,
      (one) => what(tenantOf(one), { events: [one.id] }),
    ],
    ["what else: a host's symptom, operator", hosts, ({ id }) => what(operator, { events: [id] })],
    [
      "what else: a selection of 20, operator",
      symptoms,
      (_, nth) => what(operator, { events: around(symptoms, nth, 20).map(({ id }) => id) }),
    ],
    [
      "what else: a resource, operator",
      symptoms,
      ({ subject, at }) => what(operator, { resource: { kind: "server", id: subject }, at: instant(at) }),
    ],
    ["what else: a moment, operator", symptoms, ({ at }) => what(operator, { at: instant(at) })],
    ["blast: a server's symptom, operator", symptoms, ({ id }) => blast(operator, id)],
    ["blast: a host's symptom, operator", hosts, ({ id }) => blast(operator, id)],
    ["blast: a server's symptom, its tenant", symptoms, (one) => blast(tenantOf(one), one.id)],
  ];
}

function around(symptoms: readonly Symptom[], nth: number, count: number): readonly Symptom[] {
  const from = Math.min(nth, Math.max(0, symptoms.length - count));
  return symptoms.slice(from, from + count);
}

async function time(
  question: string,
  symptoms: readonly Symptom[],
  ask: (one: Symptom, nth: number) => Promise<unknown>,
): Promise<Omit<Timing, "pages">> {
  const taken: number[] = [];
  for (const [nth, one] of symptoms.entries()) {
    const began = performance.now();
    const answer = await ask(one, nth);
    if (answer === undefined) throw new Error(`${question}: ${one.id} is not there`);
    if (nth >= Math.min(10, symptoms.length / 4)) taken.push(performance.now() - began);
  }
  const sorted = taken.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { question, asked: sorted.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}

/** Symptoms of things of one kind at moments spread evenly over the last three days, which people ask about. */
async function pick(sql: pg.Client, times: number, kind: string): Promise<readonly Symptom[]> {
  const { rows } = await sql.query<Symptom>(
    `WITH span AS (SELECT max(occurred_at) - interval '3 days' AS since, max(occurred_at) AS until FROM isochron.event)
     SELECT found.* FROM span, generate_series(0, $1::integer - 1) AS nth CROSS JOIN LATERAL (
       SELECT e.id, extract(epoch FROM e.occurred_at)::float8 * 1000 AS at, e.control_plane AS plane, e.subject_kind AS kind,
              e.subject_id AS subject, e.owner_project_id AS project
         FROM isochron.event e
        WHERE e.kind IN ('symptom', 'recovery') AND e.kind = 'symptom' AND e.subject_kind = $2 AND e.visibility = 'operational'
          AND e.occurred_at >= span.since + (nth::float8 / $1) * (span.until - span.since)
        ORDER BY e.occurred_at LIMIT 1) AS found`,
    [times, kind],
  );
  return rows.map((row) => ({ ...row, at: Math.round(row.at) }));
}
