import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { entityKey } from "../../model/entity.ts";
import type { Attribution, Evidence } from "../../model/event.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { tenantKey, type TenantRef } from "../../model/tenant.ts";
import { explainReason } from "../../model/unproven.ts";
import type { QuarantineGroup } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import { toEventJson } from "./event-json.ts";
import {
  quarantineQuerySchema,
  quarantineSchema,
  type GroundJson,
  type QuarantineGroupJson,
  type QuarantineJson,
} from "./quarantine-contract.ts";
import { admitting } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

const groupsMax = 100;
const candidatesMax = 10;
const lacksMax = 5;

/** What nobody owns yet, with what speaks for and against whom. */
export function quarantineRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, directory } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("read-workbench"));
    app.get(
      "/quarantine",
      {
        schema: {
          summary: "Events that nobody owns yet, by reason, type and connection (providers)",
          querystring: quarantineQuerySchema,
          response: { 200: quarantineSchema },
        },
      },
      async (request): Promise<QuarantineJson> => {
        const { scope } = readingScope(request);
        const { groups, more } = await store.reader.quarantine(scope, groupsMax, request.query.reason);
        return {
          total: groups.reduce((sum, group) => sum + group.count, 0),
          at_least: more || groups.some((group) => group.atLeast),
          groups: await withExamples(context, scope, groups, await directory.list()),
          truncated: more,
        };
      },
    );
  };
}

/** One after another, so that one page of quarantine never takes the whole pool. */
async function withExamples(
  { store }: ApiContext,
  scope: Scope,
  groups: readonly QuarantineGroup[],
  tenants: TenantList,
): Promise<QuarantineGroupJson[]> {
  const told: QuarantineGroupJson[] = [];
  for (const group of groups) {
    const example = await store.reader.event(scope, group.exampleId);
    if (example === undefined) continue;
    told.push({
      status: group.sampled[0]?.status === "ambiguous" ? "ambiguous" : "unresolved",
      reason: group.reason,
      says: explainReason(group.reason),
      type: group.type,
      connection: group.connection,
      control_plane: group.controlPlane,
      count: group.count,
      at_least: group.atLeast,
      oldest: formatInstant(group.oldest),
      newest: formatInstant(group.newest),
      example: toEventJson(example, tenants),
      sampled: group.sampled.length,
      candidates: weighCandidates(group, tenants),
      lacks: listGrounds(group.sampled.map(({ evidence }) => evidence.slice(-1))).slice(0, lacksMax),
    });
  }
  return told;
}

/** Every tenant that the answers of a group speak of, with what spoke for it and against it. */
function weighCandidates(
  { sampled, controlPlane }: QuarantineGroup,
  tenants: TenantList,
): QuarantineGroupJson["candidates"] {
  const possible = new Map<string, TenantRef>();
  const answers = sampled.map((attribution) => {
    const spoken = new Map(spokenOf(attribution, controlPlane).map((tenant) => [tenantKey(tenant), tenant]));
    for (const [key, tenant] of spoken) if (!possible.has(key)) possible.set(key, tenant);
    return { keys: new Set<string>(spoken.keys()), evidence: attribution.evidence };
  });
  const weighed = [...possible].map(([key, tenant]) => {
    const of = (verdict: Evidence["verdict"]): GroundJson[] =>
      listGrounds(
        answers.map(({ evidence }) =>
          evidence.filter((step) => step.verdict === verdict && names(step, tenant)),
        ),
      );
    const events = answers.filter(({ keys }) => keys.has(key)).length;
    return {
      tenant: tenants.toJson(tenants.inDomain(tenant)),
      events,
      for: of("accepted"),
      against: of("rejected"),
    };
  });
  return weighed.toSorted((a, b) => b.events - a.events).slice(0, candidatesMax);
}

function spokenOf(attribution: Attribution, controlPlane: string): readonly TenantRef[] {
  const candidates = attribution.status === "ambiguous" ? attribution.candidates : [];
  const named = attribution.evidence.flatMap(({ to }) => {
    if (to?.kind === "project") return [{ controlPlane, projectId: to.id }];
    // A project's domain is no candidate beside it.
    return [];
  });
  return [...candidates, ...named];
}

function names({ to }: Evidence, { projectId, domainId }: TenantRef): boolean {
  if (to === undefined) return false;
  const own =
    projectId === undefined ? { kind: "domain", id: domainId ?? "" } : { kind: "project", id: projectId };
  return entityKey(to) === entityKey(own);
}

/** By rule, how many events have such a step, and what the first of them says. */
function listGrounds(answers: readonly (readonly Evidence[])[]): GroundJson[] {
  const grounds = new Map<string, GroundJson>();
  for (const steps of answers) {
    for (const [rule, [step]] of Map.groupBy(steps, (one) => one.rule)) {
      const known = grounds.get(rule);
      grounds.set(rule, { rule, says: known?.says ?? step!.says, events: (known?.events ?? 0) + 1 });
    }
  }
  return [...grounds.values()].toSorted((a, b) => b.events - a.events || (a.rule < b.rule ? -1 : 1));
}
