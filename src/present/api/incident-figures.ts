import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { assembleDossier } from "../../correlate/incident-assembly.ts";
import {
  figuresOf,
  recurrenceUsual,
  summariseIncidents,
  type IncidentFigures,
  type PeriodSummary,
  type SpanFigures,
} from "../../correlate/incident-kpis.ts";
import type { IncidentDossier } from "../../correlate/incident-dossier.ts";
import type { Incident } from "../../model/incident.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { ApiContext } from "./api-context.ts";
import { parseTime } from "./event-filter.ts";
import {
  incidentKpisQuerySchema,
  incidentKpisSchema,
  type IncidentKpisJson,
  type SpanFiguresJson,
} from "./incident-contract.ts";
import { gatherMaterial } from "./incident-material.ts";
import { admitting } from "./provider-only.ts";
import { queryInvalid } from "./query-validator.ts";
import { readingScope } from "./sign-in.ts";

/** Incidents that one answer looks at. */
const incidentsMax = 1_000;
/** Ten years, of which the weeks are not yet too many to be told. */
const rangeMsMax = 3_660 * 86_400_000;

/** Figures over incidents, by period. */
export function incidentFigures(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("read-workbench"));
    app.get(
      "/incidents/kpis",
      {
        schema: {
          summary: "How many incidents, and how long to notice, decide and resolve, by period (providers)",
          querystring: incidentKpisQuerySchema,
          response: { 200: incidentKpisSchema },
        },
      },
      async (request): Promise<IncidentKpisJson> => {
        const { scope } = readingScope(request);
        const { state, period } = request.query;
        const [from, to] = [parseTime(request.query.from), parseTime(request.query.to)];
        if (to - from > rangeMsMax) throw queryInvalid("`to` is more than ten years after `from`.");
        // Those of just before are looked at for what came again.
        const reach = { from: instant(from - recurrenceUsual), to };
        const filter = { ...reach, ...(state === undefined ? {} : { states: state }) };
        const incidents = await context.store.incidents.list(scope, filter, incidentsMax);
        const figures: IncidentFigures[] = [];
        for (const incident of incidents) figures.push(figuresOf(await measure(context, scope, incident)));
        return {
          periods: summariseIncidents(figures, period, { from, to }).map(toPeriodJson),
          truncated: incidents.length === incidentsMax,
        };
      },
    );
  };
}

/** What is published has all its times in itself: its events, of which there may be hundreds, are not asked for. */
async function measure(context: ApiContext, scope: Scope, incident: Incident): Promise<IncidentDossier> {
  const material =
    incident.state === "published"
      ? { incident, pins: new Map<string, never>(), around: [], asOf: context.clock() }
      : await gatherMaterial(context, scope, incident);
  return assembleDossier(material);
}

function toPeriodJson(summary: PeriodSummary): IncidentKpisJson["periods"][number] {
  const { from, to, incidents, unpublished, bySeverity, bases } = summary;
  return {
    from: formatInstant(from),
    to: formatInstant(to),
    incidents,
    unpublished,
    by_severity: { ...bySeverity },
    lengths: toLengthsJson(summary.spans),
    things: summary.things.map(({ key, name, incidents: own, recurred, spans }) => ({
      key,
      name,
      incidents: own,
      recurred,
      lengths: toLengthsJson(spans),
    })),
    bases: { ...bases },
  };
}

function toLengthsJson(spans: PeriodSummary["spans"]): IncidentKpisJson["periods"][number]["lengths"] {
  return {
    detect: toFiguresJson(spans.detect),
    decide: toFiguresJson(spans.decide),
    resolve: toFiguresJson(spans.resolve),
    total: toFiguresJson(spans.total),
  };
}

function toFiguresJson({ n, median, p90, missing, reversed, unordered }: SpanFigures): SpanFiguresJson {
  return { n, median_ms: median ?? null, p90_ms: p90 ?? null, missing, reversed, unordered };
}
