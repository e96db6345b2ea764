import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { z } from "zod";
import { formatInstant } from "../../model/instant.ts";
import type { Span } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import type { CompareAnswer, CompareQuery } from "./blast-parts.ts";
import { compareQuerySchema, compareSchema, givenNames, type CompareJson } from "./compare-contract.ts";
import { parseTime, toEventFilter, type FilterQuery } from "./event-filter.ts";
import { toCoverageJson } from "./event-json.ts";
import { notFound } from "./problem.ts";
import { queryInvalid } from "./query-validator.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

/** Longer selections are an export's business, not a question's. */
const selectionMsMax = 32 * 24 * 3_600_000;

/** Which attributes are over-represented in a selection; of a tenant's own events for a tenant. */
export function compareRoute({ store, directory, compare }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/compare",
      {
        schema: {
          summary: "What stands out of a selection of events, against what is usual",
          querystring: compareQuerySchema,
          response: { 200: compareSchema },
        },
      },
      async (request): Promise<CompareJson> => {
        const { scope } = readingScope(request);
        if (compare === undefined) throw notFound();
        const tenants = await directory.list();
        const [answer, coverage] = await Promise.all([
          compare(scope, toQuery(request.query, scope.kind, tenants)),
          store.reader.coverage(scope),
        ]);
        return { ...toAnswerJson(answer), coverage: toCoverageJson(coverage, scope.kind) };
      },
    );
  };
}

type Asked = z.output<typeof compareQuerySchema>;

function toQuery(query: Asked, audience: "provider" | "tenant", tenants: TenantList): CompareQuery {
  const [from, to] = [parseTime(query.from), parseTime(query.to)];
  if (to - from > selectionMsMax) throw queryInvalid("`to` is more than 32 days after `from`.");
  return {
    selection: { ...toEventFilter(ownFilter(query), audience, tenants), from, to },
    baseline: toBaseline(query, audience, tenants),
    falseDiscoveryRate: query.rate,
    limit: query.limit,
  };
}

/** Names that are no filter of the selection. */
const otherNames: ReadonlySet<string> = new Set(["baseline", "rate", "limit"]);

function ownFilter(query: Asked): FilterQuery {
  const own = Object.entries(query).filter(
    ([name]) => !name.startsWith("baseline_") && !otherNames.has(name),
  );
  return Object.fromEntries(own) as FilterQuery;
}

function toBaseline(
  query: Asked,
  audience: "provider" | "tenant",
  tenants: TenantList,
): CompareQuery["baseline"] {
  const names = givenNames(query);
  if (names.length === 0) {
    const selects = Object.keys(ownFilter(query)).some((name) => name !== "from" && name !== "to");
    if (query.baseline === "rest" && !selects)
      throw queryInvalid(
        "`baseline` is `rest`, and nothing is left of the span: the selection has no filter.",
      );
    return { kind: query.baseline ?? "same-hours" };
  }
  const given = Object.fromEntries(
    names.map((name) => [name.slice("baseline_".length), query[name as keyof Asked]]),
  ) as FilterQuery;
  // A span by itself is held against with the selection's own filter.
  const isSpan = names.every((name) => name === "baseline_from" || name === "baseline_to");
  const filter = toEventFilter(isSpan ? { ...ownFilter(query), ...given } : given, audience, tenants);
  const from = filter.from ?? parseTime(query.from);
  const to = filter.to ?? parseTime(query.to);
  if (to <= from) throw queryInvalid("`baseline_to` is not after `baseline_from`.");
  if (to - from > selectionMsMax)
    throw queryInvalid("`baseline_to` is more than 32 days after `baseline_from`.");
  return { kind: "given", filter: { ...filter, from, to } };
}

function toAnswerJson(answer: CompareAnswer): Omit<CompareJson, "coverage"> {
  const { selection, baseline } = answer;
  const span = ({ from, to, events }: Span & { readonly events: number }) => {
    return { from: formatInstant(from), to: formatInstant(to), events };
  };
  return {
    selection: span(selection),
    baseline: { kind: baseline.kind, spans: baseline.spans.map(span), events: baseline.events },
    findings: answer.findings.map((finding) => ({
      attribute: finding.attribute,
      value: finding.value,
      inside: finding.inside,
      outside: finding.outside,
      direction: finding.direction,
      log_odds: finding.logOdds,
      z: finding.z,
      probability: finding.probability,
      adjusted: finding.adjusted,
      says: finding.says,
    })),
    found: answer.found,
    tested: answer.tested,
    rate: answer.falseDiscoveryRate,
    truncated: answer.truncated,
  };
}
