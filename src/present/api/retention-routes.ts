import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import { canonicalJson } from "../../model/json.ts";
import type { ErasureCounts, ErasureTarget, LegalHold } from "../../model/retention.ts";
import { domainKey, projectKey, type TenantKey } from "../../model/tenant.ts";
import type { ErasureRecord } from "../../store/retention-store.ts";
import type { ApiContext } from "./api-context.ts";
import { sameBytes, signFor } from "./page-cursor.ts";
import { notFound } from "./problem.ts";
import { admit, admitting, decider } from "./provider-only.ts";
import {
  eraseRequestSchema,
  erasureDryRunRequestSchema,
  erasureDryRunSchema,
  erasureSchema,
  erasuresSchema,
  holdSchema,
  holdsSchema,
  liftHoldSchema,
  placeHoldSchema,
  type erasureTargetSchema,
  type ErasureCountsJson,
  type ErasureJson,
  type HoldJson,
} from "./retention-contract.ts";
import type { Erasures } from "./retention-parts.ts";
import type { TenantList } from "./tenant-directory.ts";

const noQuery = z.strictObject({});
const bodyLimit = 64 * 1024;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";
const holdParams = z.object({ id: z.string().regex(/^hold_[a-z0-9]{1,40}$/) });

/** Legal holds and erasures. To whoever does not administer, these addresses are as any that is not there. */
export function retentionRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    const { erasures } = context;
    if (erasures === undefined) return;
    app.addHook("onRequest", admitting("administer"));
    await app.register(holdRoutes(context, erasures));
    await app.register(erasureRoutes(context, erasures));
  };
}

function holdRoutes({ directory, audit }: ApiContext, erasures: Erasures): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/holds",
      {
        schema: {
          summary: "Legal holds, those that were lifted too (administrators)",
          querystring: noQuery,
          response: { 200: holdsSchema },
        },
      },
      async () => ({ holds: (await erasures.holds()).map(toHoldJson) }),
    );
    app.post(
      "/holds",
      {
        bodyLimit,
        schema: {
          summary: "Place a legal hold: nothing under it is deleted while it stands (administrators)",
          description,
          querystring: noQuery,
          body: placeHoldSchema,
          response: { 201: holdSchema },
        },
      },
      async (request, reply) => {
        const { from, to, why } = request.body;
        const hold = await erasures.placeHold({
          target: readHeld(request.body.target, await directory.list()),
          ...(from === undefined ? {} : { from: readTime(from) }),
          ...(to === undefined ? {} : { to: readTime(to) }),
          why,
          placedBy: decider(request),
        });
        const principal = admit(request, "administer");
        await audit.done(request, "hold", principal, { object: hold.id, why, details: { placed: true } });
        return reply.code(201).send(toHoldJson(hold));
      },
    );
    app.post(
      "/holds/:id/lifting",
      {
        bodyLimit,
        schema: {
          summary: "Lift a legal hold (administrators)",
          description,
          params: holdParams,
          querystring: noQuery,
          body: liftHoldSchema,
          response: { 200: holdSchema },
        },
      },
      async (request) => {
        const { why } = request.body;
        const hold = await erasures.liftHold(request.params.id, { by: decider(request), why });
        if (hold === undefined) throw notFound();
        const principal = admit(request, "administer");
        await audit.done(request, "hold", principal, { object: hold.id, why, details: { placed: false } });
        return toHoldJson(hold);
      },
    );
  };
}

function erasureRoutes({ directory, audit, secret }: ApiContext, erasures: Erasures): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/erasures",
      {
        schema: {
          summary: "What was erased, and what is still to be (administrators)",
          querystring: noQuery,
          response: { 200: erasuresSchema },
        },
      },
      async () => ({ erasures: (await erasures.erasures()).map(toErasureJson) }),
    );
    app.post(
      "/erasures/dry-run",
      {
        bodyLimit,
        schema: {
          summary: "What an erasure would take; nothing is changed (administrators)",
          description,
          querystring: noQuery,
          body: erasureDryRunRequestSchema,
          response: { 200: erasureDryRunSchema },
        },
      },
      async ({ body }) => {
        const target = readTarget(body.target, await directory.list());
        const counts = await erasures.count(target);
        return { counts: toCountsJson(counts), confirm: confirmation(secret, target, counts) };
      },
    );
    app.post(
      "/erasures",
      {
        bodyLimit,
        schema: {
          summary: "Erase a tenant or a person, as a dry run told (administrators)",
          description,
          querystring: noQuery,
          body: eraseRequestSchema,
          response: { 202: erasureSchema },
        },
      },
      async (request, reply) => {
        const { why, confirm } = request.body;
        const target = readTarget(request.body.target, await directory.list());
        const expected = confirmation(secret, target, await erasures.count(target));
        if (!sameBytes(Buffer.from(confirm), Buffer.from(expected))) throw changed();
        const erasure = await erasures.erase({
          target,
          why,
          by: decider(request),
          actor: actorOf(request),
        });
        const principal = admit(request, "administer");
        await audit.done(request, "erasure", principal, { object: `erasure:${erasure.id}`, why });
        return reply.code(202).send(toErasureJson(erasure));
      },
    );
  };
}

function actorOf(request: FastifyRequest) {
  const { subject, name } = admit(request, "administer");
  return { id: subject, name, address: request.ip };
}

function confirmation(secret: Uint8Array, target: ErasureTarget, counts: ErasureCounts): string {
  return signFor("erasure", secret, canonicalJson({ target, counts })).toString("base64url");
}

function changed(): IsochronError {
  return new IsochronError(
    "erasure-changed",
    "This is not what a dry run told that would be erased.",
    "Ask for a dry run again, and confirm what it tells.",
  );
}

type TargetJson = z.infer<typeof erasureTargetSchema>;

function readTarget(
  { user_id: userId, words = [], ...tenant }: TargetJson,
  tenants: TenantList,
): ErasureTarget {
  const { project_id: project, domain_id: domain, customer_id: customer } = tenant;
  if (userId === undefined) return readTenant(tenant, tenants);
  if (project !== undefined || domain !== undefined || customer !== undefined) throw notOne();
  return { kind: "user", userId, words };
}

/** Of a resource and a tenant at once it would not be clear whether both have to fit. */
function readHeld(
  { resource, ...tenant }: z.infer<typeof placeHoldSchema>["target"],
  tenants: TenantList,
): LegalHold["target"] {
  if (resource === undefined) return readTenant(tenant, tenants);
  const {
    control_plane: controlPlane,
    project_id: project,
    domain_id: domain,
    customer_id: customer,
  } = tenant;
  if (project !== undefined || domain !== undefined || customer !== undefined) throw notOne();
  return { kind: "resource", controlPlane, entityKey: `${resource.kind}:${resource.id}` };
}

function readTenant(
  target: Pick<TargetJson, "control_plane" | "project_id" | "domain_id" | "customer_id">,
  tenants: TenantList,
): { kind: "tenant"; label: string; keys: readonly TenantKey[] } {
  const { control_plane: plane, project_id: project, domain_id: domain, customer_id: customer } = target;
  const given = [project, domain, customer].filter((one) => one !== undefined);
  if (given.length !== 1) throw notOne();
  if (project !== undefined) return { kind: "tenant", label: project, keys: [projectKey(plane, project)] };
  if (domain !== undefined) return { kind: "tenant", label: domain, keys: [domainKey(plane, domain)] };
  const keys = tenants.claimOfCustomer(customer ?? "");
  if (keys.length === 0) {
    throw new IsochronError(
      "tenant-unknown",
      `There is no customer ${customer}.`,
      "Name one of those under `customers` in the configuration.",
    );
  }
  return { kind: "tenant", label: customer ?? "", keys };
}

function notOne(): IsochronError {
  return new IsochronError(
    "body-invalid",
    "It is not said whom or what it is of, or several are named.",
    "Give exactly one of project_id, domain_id, customer_id, and user_id or resource.",
  );
}

function readTime(text: string): Instant {
  return instant(Date.parse(text));
}

function toHoldJson(hold: LegalHold): HoldJson {
  const { target, from, to, lifted } = hold;
  return {
    id: hold.id,
    of: target.kind === "tenant" ? target.label : `${target.entityKey} of ${target.controlPlane}`,
    from: from === undefined ? null : formatInstant(from),
    to: to === undefined ? null : formatInstant(to),
    why: hold.why,
    placed_by: hold.placedBy,
    placed_at: formatInstant(hold.placedAt),
    lifted: lifted === undefined ? null : { by: lifted.by, why: lifted.why, at: formatInstant(lifted.at) },
  };
}

function toErasureJson(erasure: ErasureRecord): ErasureJson {
  const { doneAt, counts } = erasure;
  return {
    id: erasure.id,
    state: doneAt !== undefined ? "done" : counts.held > 0 ? "held" : "under-way",
    why: erasure.why,
    asked_by: erasure.askedBy,
    asked_at: formatInstant(erasure.askedAt),
    done_at: doneAt === undefined ? null : formatInstant(doneAt),
    counts: toCountsJson(counts),
  };
}

function toCountsJson({ stormMembers, setAside, ...counts }: ErasureCounts): ErasureCountsJson {
  return { ...counts, storm_members: stormMembers, set_aside: setAside };
}
