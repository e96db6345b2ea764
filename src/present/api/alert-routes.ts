import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { seriesKey } from "../../correlate/alert-signal.ts";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import {
  alertGroupSchema,
  alertParamsSchema,
  alertQuerySchema,
  alertSplitSchema,
  alertsQuerySchema,
  alertsSchema,
  splitAlertSchema,
  undoneSplitSchema,
  undoSplitSchema,
  type AlertGroupJson,
  type AlertsJson,
} from "./alert-contract.ts";
import { toGroupJson, toSplitJson } from "./alert-json.ts";
import type { AlertQuery, FindAlerts } from "./alert-parts.ts";
import type { ApiContext } from "./api-context.ts";
import { parseTime } from "./event-filter.ts";
import { toCoverageJson } from "./event-json.ts";
import { toWorkWindowJson } from "./maintenance-json.ts";
import { notFound } from "./problem.ts";
import { admit, admitting, decider } from "./provider-only.ts";
import { queryInvalid } from "./query-validator.ts";
import { readingScope } from "./sign-in.ts";

const dayMs = 86_400_000;
const windowDaysMax = 31;
const groupsMax = 500;
const bodyLimit = 16 * 1024;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";

/** Alerts of a window: the provider's from all events, a tenant's from its own editions. */
export function alertRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    const { alerts } = context;
    if (alerts === undefined) return;
    await app.register(readingRoutes(context, alerts));
    await app.register(splitRoutes(context));
  };
}

function readingRoutes({ directory, clock }: ApiContext, findAlerts: FindAlerts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/alerts",
      {
        schema: {
          summary: "Alerts in groups: duplicates merged, storms by what they stand on, each with its state",
          querystring: alertsQuerySchema,
          response: { 200: alertsSchema },
        },
      },
      async (request): Promise<AlertsJson> => {
        const { scope } = readingScope(request);
        const { state, limit } = request.query;
        // States are found by judging all, so that those asked for are not crowded out by others.
        const query = { ...windowOf(request.query, clock()), limit: state === undefined ? limit : groupsMax };
        const [answer, tenants] = await Promise.all([findAlerts(scope, query), directory.list()]);
        const { splits, checked, window } = answer;
        const telling = { audience: scope.kind, tenants, splits, withEvents: false };
        const passing = answer.groups.filter((group) => state === undefined || state.includes(group.state));
        const shown = passing.toReversed().slice(0, limit);
        return {
          window: { from: formatInstant(window.from), to: formatInstant(window.to) },
          groups: shown.map((group) => toGroupJson(group, telling)),
          windows: answer.windows.map(toWorkWindowJson),
          checked: {
            events: checked.events,
            truncated: checked.truncated || shown.length < passing.length,
            since: formatInstant(checked.since),
          },
          coverage: toCoverageJson(answer.coverage, scope.kind),
        };
      },
    );
    app.get(
      "/alerts/:id",
      {
        schema: {
          summary: "One group of alerts, by its id or an alert's, with its events",
          params: alertParamsSchema,
          querystring: alertQuerySchema,
          response: { 200: alertGroupSchema },
        },
      },
      async (request): Promise<AlertGroupJson> => {
        const { scope } = readingScope(request);
        const { id } = request.params;
        const query = { ...windowOf(request.query, clock()), limit: groupsMax };
        const [{ groups, splits }, tenants] = await Promise.all([findAlerts(scope, query), directory.list()]);
        const group = groups.find((one) => one.id === id || one.alerts.some((alert) => alert.id === id));
        if (group === undefined) throw notFound();
        return toGroupJson(group, { audience: scope.kind, tenants, splits, withEvents: true });
      },
    );
  };
}

function windowOf(
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Instant,
): Omit<AlertQuery, "limit"> {
  const to = query.to === undefined ? now : parseTime(query.to);
  const from = query.from === undefined ? instant(to - dayMs) : parseTime(query.from);
  if (from >= to) throw queryInvalid("`from` is not before `to`, which is now where it is not given.");
  if (to - from > windowDaysMax * dayMs)
    throw queryInvalid(`The window is longer than ${windowDaysMax} days.`);
  return { from, to };
}

/** What people say of merged alerts: that one is a problem of its own, or not after all. */
function splitRoutes({ store, audit, clock }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.post(
      "/alerts/splits",
      {
        bodyLimit,
        schema: {
          summary: "Let one monitor's alert stand alone, whatever it is merged with (providers)",
          description,
          querystring: z.strictObject({}),
          body: splitAlertSchema,
          response: { 200: alertSplitSchema },
        },
      },
      async (request) => {
        const principal = admit(request, "decide");
        const { scope } = readingScope(request);
        const { event: id, why } = request.body;
        const visible = await store.reader.event(scope, id);
        if (visible === undefined || visible.audience !== "provider") throw notFound();
        const series = seriesKey(visible.event);
        if (series === undefined) throw noAlert(id);
        const { split, fresh } = await store.alertSplits.split({
          series,
          by: decider(request),
          why,
          at: clock(),
        });
        if (fresh)
          await audit.done(request, "feedback", principal, {
            object: `alert_split:${split.id}`,
            why,
            details: { alerts: "split", event: visible.event.id },
          });
        return toSplitJson(split);
      },
    );
    app.post(
      "/alerts/splits/:id/undoing",
      {
        bodyLimit,
        schema: {
          summary: "Take a split back: what was merged is merged again (providers)",
          description,
          params: z.object({ id: z.string().regex(/^spl_[0-9a-z]{26}$/) }),
          querystring: z.strictObject({}),
          body: undoSplitSchema,
          response: { 200: undoneSplitSchema },
        },
      },
      async (request) => {
        const principal = admit(request, "decide");
        const { id } = request.params;
        if (!(await store.alertSplits.undo(id, decider(request), clock()))) throw notFound();
        await audit.done(request, "feedback", principal, {
          object: `alert_split:${id}`,
          why: request.body.why,
          details: { alerts: "joined" },
        });
        return { id };
      },
    );
  };
}

function noAlert(id: string): IsochronError {
  return new IsochronError(
    "body-invalid",
    `The event ${id} is no alert's.`,
    "Give an event of a member, as `first_event` of GET /alerts names it.",
  );
}
