import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Scope } from "../../model/scope.ts";
import type { Keyset, VisibleEvent } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import { toCoverageJson, toEventJson } from "./event-json.ts";
import { csvHead, toCsvLine } from "./export-csv.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";
import type { Principal } from "./principal.ts";
import { deny } from "./provider-only.ts";
import { exportQuerySchema } from "./retention-contract.ts";
import { onResponseEnd } from "./response-end.ts";
import { readingScope } from "./sign-in.ts";
import { whileAllowed } from "./standing-right.ts";
import type { TenantList } from "./tenant-directory.ts";

/** Events, or members of one storm, that are held in memory at once. */
const pageSize = 200;

interface Export {
  readonly scope: Scope;
  readonly binding: string;
  readonly after: Keyset | undefined;
  readonly tenants: TenantList;
  readonly signal: AbortSignal;
}

/**
 * All that a tenant is shown, oldest first: each event as the timeline shows it, behind a storm what it stands for. For a
 * tenant's administrators, and for providers who look through its eyes; to everybody else there is nothing here. Whoever
 * loses the right to it meanwhile is given no more.
 */
export function exportRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { directory, secret, closing, audit } = context;
  return async (app) => {
    app.get(
      "/export",
      {
        exposeHeadRoute: false,
        schema: {
          summary: "All that a tenant is shown, as lines of JSON or as CSV (the tenant's administrators)",
          querystring: exportQuerySchema,
          response: {
            200: {
              description:
                'Lines of JSON: `{"event": …}`, `{"member": …, "of": ID}` for what a storm stands for, ' +
                '`{"cursor": …}` after each page, from which another request goes on, and at the end ' +
                '`{"manifest": …}` with the counts, the span, the SHA-256 of all lines before it, and how ' +
                "complete the sources are known to be. Without a manifest the answer was cut off.",
              content: { "application/x-ndjson": { schema: z.string() }, "text/csv": { schema: z.string() } },
            },
          },
        },
      },
      async (request, reply) => {
        const { principal, scope } = readingScope(request);
        if (!mayExport(principal, scope)) throw deny(request);
        const { format, cursor } = request.query;
        const binding = `${principal.binding}\nexport`;
        const after = cursor === undefined ? undefined : readCursor(cursor, binding, secret);
        await audit.done(request, "export", principal, {
          object: `export:${principal.binding.replaceAll("\n", ",")}`,
          details: { format, resumed: cursor !== undefined },
        });
        const gone = new AbortController();
        onResponseEnd(reply.raw, () => gone.abort());
        const signal = AbortSignal.any([gone.signal, closing]);
        const order = { scope, binding, after, tenants: await directory.list(), signal };
        const lines = format === "csv" ? csvLines(context, order) : jsonLines(context, order);
        void reply
          .header("content-type", format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson")
          .header("content-disposition", `attachment; filename="isochron-export.${format}"`);
        const allowed = whileAllowed(context, { request, reply, scope }, lines);
        return reply.send(Readable.from(allowed, { highWaterMark: 1 }) as unknown as string);
      },
    );
  };
}

/** A reader of the tenant may look, and not take all of it away; who sees less than an administrator exports less. */
function mayExport(principal: Principal, scope: Scope): boolean {
  if (scope.kind !== "tenant" || scope.keys.length === 0) return false;
  if (principal.provider) return principal.permissions.has("export");
  const own = new Set(scope.sensitiveKeys);
  return scope.keys.every((key) => own.has(key));
}

async function* jsonLines(context: ApiContext, order: Export): AsyncGenerator<string> {
  const { store, secret, clock } = context;
  const hash = createHash("sha256");
  const counts = { events: 0, members: 0 };
  const span: { first?: string; last?: string } = {};
  const line = (value: object): string => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    return text;
  };
  for await (const { event, members } of walk(context, order)) {
    if (event !== undefined) {
      const json = toEventJson(event, order.tenants);
      counts.events += 1;
      span.first ??= json.occurred_at;
      span.last = json.occurred_at;
      yield line({ event: json });
      for await (const member of members) {
        counts.members += 1;
        yield line({ member: toEventJson(member, order.tenants), of: event.event.id });
      }
    } else yield line({ cursor: writeCursor(members, order.binding, secret) });
  }
  if (order.signal.aborted) return;
  const coverage = toCoverageJson(await store.reader.coverage(order.scope), "tenant");
  const manifest = {
    format: "isochron-export/1",
    made_at: new Date(clock()).toISOString(),
    counts,
    first: span.first ?? null,
    last: span.last ?? null,
    resumed: order.after !== undefined,
    coverage,
    sha256: hash.digest("hex"),
  };
  yield `${JSON.stringify({ manifest })}\n`;
}

async function* csvLines(context: ApiContext, order: Export): AsyncGenerator<string> {
  if (order.after === undefined) yield csvHead;
  for await (const { event, members } of walk(context, order)) {
    if (event === undefined) continue;
    yield toCsvLine(toEventJson(event, order.tenants), "");
    for await (const member of members) yield toCsvLine(toEventJson(member, order.tenants), event.event.id);
  }
}

type Step =
  | { readonly event: VisibleEvent; readonly members: AsyncIterable<VisibleEvent> }
  /** The end of a page, where another request can go on. */
  | { readonly event?: undefined; readonly members: Keyset };

async function* walk(context: ApiContext, order: Export): AsyncGenerator<Step> {
  const { store } = context;
  const { scope, signal } = order;
  let { after } = order;
  for (let more = true; more && !signal.aborted;) {
    const page = await store.reader.timeline(
      scope,
      {},
      { limit: pageSize, order: "oldest", ...(after === undefined ? {} : { after }) },
    );
    for (const event of page.events) yield { event, members: membersOf(context, order, event) };
    const last = page.events.at(-1)?.event;
    more = page.more && last !== undefined;
    if (last !== undefined) {
      after = { occurredAt: last.occurredAt, id: last.id };
      if (more) yield { members: after };
    }
  }
}

async function* membersOf(
  { store }: ApiContext,
  { scope, signal }: Export,
  { event }: VisibleEvent,
): AsyncGenerator<VisibleEvent> {
  if (event.details["storm"] === undefined) return;
  let after: Keyset | undefined;
  for (let more = true; more && !signal.aborted;) {
    const page = await store.reader.members(scope, event.id, {
      limit: pageSize,
      order: "oldest",
      ...(after === undefined ? {} : { after }),
    });
    yield* page.events;
    const last = page.events.at(-1)?.event;
    more = page.more && last !== undefined;
    if (last !== undefined) after = { occurredAt: last.occurredAt, id: last.id };
  }
}
