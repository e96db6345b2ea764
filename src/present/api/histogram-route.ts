import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { EventFilter, HistogramBin } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import { histogramQuerySchema, histogramSchema } from "./contract.ts";
import { toEventFilter } from "./event-filter.ts";
import { toCoverageJson } from "./event-json.ts";
import { readingScope } from "./sign-in.ts";

export function histogramRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, directory } = context;
  return async (app) => {
    app.get(
      "/histogram",
      {
        schema: {
          summary: "Counts over time, by kind",
          querystring: histogramQuerySchema,
          response: { 200: histogramSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        const { bins: binsMax, ...query } = request.query;
        const asked = toEventFilter(query, scope.kind, await directory.list());
        const filter = await fitWindow(context, scope, asked);
        const [bins, coverage] = await Promise.all([
          store.reader.histogram(scope, filter, binsMax),
          store.reader.coverage(scope),
        ]);
        return {
          from: formatInstant(filter.from),
          to: formatInstant(filter.to),
          bin_ms: binWidth(bins, filter),
          bins: bins.map((bin) => ({ at: formatInstant(bin.at), counts: { ...bin.counts } })),
          total: bins.reduce((sum, bin) => sum + countOf(bin), 0),
          coverage: toCoverageJson(coverage, scope.kind),
        };
      },
    );
  };
}

const emptyWindowMs = 3_600_000;

/** Open ends of the window become the ends of what is in scope; the last occurrence is inside. */
async function fitWindow(
  { store, clock }: ApiContext,
  scope: Scope,
  filter: EventFilter,
): Promise<EventFilter & { from: Instant; to: Instant }> {
  const { from, to } = filter;
  if (from !== undefined && to !== undefined) return { ...filter, from, to };
  const extent = await store.reader.extent(scope);
  const start = from ?? extent?.first ?? instant((to ?? clock()) - emptyWindowMs);
  const end = to ?? instant((extent?.last ?? clock()) + 1);
  // An end that was asked for stays; the other gives way, so that the window keeps a length.
  if (start < end) return { ...filter, from: start, to: end };
  return from !== undefined
    ? { ...filter, from, to: instant(from + 1) }
    : { ...filter, from: instant(end - 1), to: end };
}

function binWidth(bins: readonly HistogramBin[], window: { from: Instant; to: Instant }): number {
  const [first, second] = bins;
  return first === undefined || second === undefined ? window.to - window.from : second.at - first.at;
}

function countOf(bin: HistogramBin): number {
  return Object.values(bin.counts).reduce((sum, count) => sum + count, 0);
}
