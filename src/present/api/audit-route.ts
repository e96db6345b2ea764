import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { instant, type Instant } from "../../model/instant.ts";
import type { AuditEntry } from "../../store/audit-chain.ts";
import type { ApiContext } from "./api-context.ts";
import {
  auditEntrySchema,
  auditHeadSchema,
  auditPageSchema,
  auditQuerySchema,
  type AuditEntryJson,
} from "./audit-contract.ts";
import { notFound } from "./problem.ts";
import { admitting } from "./provider-only.ts";

const noQuery = z.strictObject({});
const entryParams = z.object({ sequence: z.string().regex(/^[1-9][0-9]{0,14}$/) });

/** The audit trail. To whoever may not read it, these addresses are as any that is not there. */
export function auditRoute({ store: { audit } }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("read-audit"));
    app.get(
      "/audit",
      {
        schema: {
          summary: "Who did what, the latest first (auditors, administrators)",
          querystring: auditQuerySchema,
          response: { 200: auditPageSchema },
        },
      },
      async (request) => {
        const { action, actor, object, from, to, before, limit } = request.query;
        const filter = {
          ...(action === undefined ? {} : { action }),
          ...(actor === undefined ? {} : { actor }),
          ...(object === undefined ? {} : { object }),
          ...(from === undefined ? {} : { from: moment(from) }),
          ...(to === undefined ? {} : { to: moment(to) }),
        };
        const { entries, more } = await audit.list(filter, limit, before);
        return {
          entries: entries.map(toEntryJson),
          next_before: more ? (entries.at(-1)?.sequence ?? null) : null,
        };
      },
    );
    app.get(
      "/audit/head",
      {
        schema: {
          summary: "Where the trail stands, signed: to be kept elsewhere (auditors, administrators)",
          querystring: noQuery,
          response: { 200: auditHeadSchema },
        },
      },
      async () => audit.head(),
    );
    app.get(
      "/audit/:sequence",
      {
        schema: {
          summary: "One entry of the trail (auditors, administrators)",
          params: entryParams,
          querystring: noQuery,
          response: { 200: auditEntrySchema },
        },
      },
      async (request) => {
        const entry = await audit.find(Number(request.params.sequence));
        if (entry === undefined) throw notFound();
        return toEntryJson(entry);
      },
    );
  };
}

function moment(text: string): Instant {
  return instant(Date.parse(text));
}

function toEntryJson(entry: AuditEntry): AuditEntryJson {
  const { sequence, at, action, outcome, object, count, personal, sealed, hash } = entry;
  const value = (field: string): string | null => personal[field]?.value ?? null;
  const named = Object.entries(personal).flatMap(([field, held]) =>
    field.startsWith("personal.") ? [[field.slice("personal.".length), held.value]] : [],
  );
  return {
    sequence,
    at,
    action,
    outcome,
    object,
    count,
    actor: { id: value("actor.id"), name: value("actor.name"), address: value("actor.address") },
    why: value("why"),
    personal: Object.fromEntries(named) as Record<string, string>,
    details: entry.details,
    erased: Object.keys(sealed).some((field) => personal[field] === undefined),
    hash,
  };
}
