import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { Scope } from "../../model/scope.ts";
import type { EventFilter, FeedPage, FeedPosition } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import type { ApiLimits } from "./api-parts.ts";
import { liveQuerySchema } from "./contract.ts";
import { mayHavePassed, passesFilter, toEventFilter } from "./event-filter.ts";
import { toEventJson } from "./event-json.ts";
import { eventParams } from "./event-routes.ts";
import type { RetractionJson } from "./ownership-contract.ts";
import { cursorInvalid } from "./problem.ts";
import { onResponseEnd } from "./response-end.ts";
import { readingScope } from "./sign-in.ts";
import { isStillAllowed } from "./standing-right.ts";
import type { TenantList } from "./tenant-directory.ts";

const feedPageSize = 200;
const reconnectMs = 3_000;

/** What a stream is opened with. */
interface Subscription {
  readonly request: FastifyRequest;
  readonly scope: Scope;
  readonly filter: EventFilter;
  readonly after: FeedPosition | undefined;
  readonly signal: AbortSignal;
}

/**
 * Server-sent events: each new event in scope once, resumed right after the last one that was seen. What is in scope no
 * longer is taken back by its id alone, in the same words whoever has it now.
 */
export function liveRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, directory, limits, closing } = context;
  const open = new OpenStreams(limits);
  return async (app) => {
    app.get(
      "/live",
      {
        // A HEAD would open a stream that nobody reads.
        exposeHeadRoute: false,
        schema: {
          summary: "New events as they are stored (server-sent events)",
          querystring: liveQuerySchema,
          response: {
            200: {
              description:
                "`event: event` with the event's id as `id:` and the event as JSON in `data:`; the same id again " +
                'replaces what came before. `event: retracted` with `{"id": …}` in `data:` and no `id:`: the event ' +
                "is no longer to be seen here.",

              content: { "text/event-stream": { schema: z.string() } },
            },
          },
        },
      },
      async (request, reply) => {
        const { principal, scope } = readingScope(request);
        const { last_event_id: lastEventId, ...query } = request.query;
        const filter = toEventFilter(query, scope.kind, await directory.list());
        const after = await findPlace(scope, request.headers["last-event-id"] ?? lastEventId);
        open.admit(principal.subject, reply);
        const gone = new AbortController();
        onResponseEnd(reply.raw, () => gone.abort());
        const signal = AbortSignal.any([gone.signal, closing]);
        const frames = followFeed(context, { request, scope, filter, after, signal });
        const stream = Readable.from(cutOffStalled(frames, limits.liveStallMs, reply), { highWaterMark: 1 });
        void reply
          .header("content-type", "text/event-stream; charset=utf-8")
          .header("x-accel-buffering", "no")
          // A stream ends last of all when the server closes; its connection must not outlive it.
          .header("connection", "close");
        // The declared answer is the stream's text; the framework's types know no stream of it.
        return reply.send(stream as unknown as string);
      },
    );
  };

  async function findPlace(
    scope: Scope,
    seen: string | string[] | undefined,
  ): Promise<FeedPosition | undefined> {
    if (seen === undefined || seen === "") return undefined;
    const id = eventParams.safeParse({ id: seen });
    if (!id.success || !(await store.reader.standsInFeed(scope, id.data.id))) throw cursorInvalid();
    return { event: id.data.id };
  }
}

/** How many streams are open, in all and for each principal. */
class OpenStreams {
  readonly #limits: ApiLimits;
  readonly #perPrincipal = new Map<string, number>();
  #inAll = 0;

  constructor(limits: ApiLimits) {
    this.#limits = limits;
  }

  /** Counts the stream until its connection closes. Throws `rate-limited` when there are too many. */
  admit(principalId: string, reply: FastifyReply): void {
    const own = this.#perPrincipal.get(principalId) ?? 0;
    if (own >= this.#limits.liveStreamsPerPrincipal || this.#inAll >= this.#limits.liveStreamsMax) {
      throw new IsochronError(
        "rate-limited",
        "Too many live streams are open.",
        "Close one, or wait as `Retry-After` says.",
      );
    }
    this.#perPrincipal.set(principalId, own + 1);
    this.#inAll++;
    onResponseEnd(reply.raw, () => {
      this.#inAll--;
      const left = (this.#perPrincipal.get(principalId) ?? 1) - 1;
      if (left === 0) this.#perPrincipal.delete(principalId);
      else this.#perPrincipal.set(principalId, left);
    });
  }
}

async function* followFeed(context: ApiContext, subscription: Subscription): AsyncGenerator<string> {
  const { store, directory, limits } = context;
  const { request, scope, filter, signal } = subscription;
  let { after } = subscription;
  let checkedAt = performance.now();
  yield `retry: ${reconnectMs}\n\n`;
  let sentAt = performance.now();
  try {
    while (!signal.aborted) {
      if (performance.now() - checkedAt >= limits.liveRecheckMs) {
        if (!(await isStillAllowed(context, request, scope))) return;
        checkedAt = performance.now();
      }
      // Waiting begins before reading: what is stored in between would else go unnoticed until the next beat.
      const settled = new AbortController();
      const untilBeatMs = Math.max(1, Math.ceil(sentAt + limits.liveHeartbeatMs - performance.now()));
      const wake = store.reader.woken(
        Math.min(untilBeatMs, limits.liveRecheckMs),
        AbortSignal.any([signal, settled.signal]),
      );
      const page = await store.reader.feed(scope, after, feedPageSize);
      after = page.position;
      if (page.events.length + page.retracted.length > 0) {
        settled.abort();
        const tenants = await directory.list();
        for (const frame of framesOf(page, filter, tenants)) {
          // Whoever takes a page slowly would else be given the rest of it long after its right has ended.
          if (performance.now() - checkedAt >= limits.liveRecheckMs) {
            if (!(await isStillAllowed(context, request, scope))) return;
            checkedAt = performance.now();
          }
          yield frame;
          sentAt = performance.now();
        }
        continue;
      }
      await wake;
      // A beat at every wake would be noise, and would tell a tenant when others' events are stored.
      if (performance.now() - sentAt < limits.liveHeartbeatMs) continue;
      yield ":\n\n";
      sentAt = performance.now();
    }
  } catch (error) {
    // The stream has begun, so there is no answer to give: it ends, and the browser resumes where it was.
    if (!(error instanceof IsochronError)) throw error;
    request.log.warn({ err: error }, "a live stream ended early");
  }
}

function* framesOf(page: FeedPage, filter: EventFilter, tenants: TenantList): Generator<string> {
  for (const id of page.retracted) yield retractionOf(id);
  const repeated = new Set(page.repeated);
  for (const visible of page.events) {
    const { id } = visible.event;
    if (passesFilter(visible, filter)) {
      yield `id: ${id}\nevent: event\ndata: ${JSON.stringify(toEventJson(visible, tenants))}\n\n`;
    } else if (repeated.has(id) && mayHavePassed(visible, filter)) yield retractionOf(id);
  }
}

/** Without an `id:`, so that whoever resumes does so after an event that it has. */
function retractionOf(id: string): string {
  return `event: retracted\ndata: ${JSON.stringify({ id } satisfies RetractionJson)}\n\n`;
}

/** Ends the connection of a client that does not take a frame in time; nothing is buffered for it meanwhile. */
async function* cutOffStalled(
  frames: AsyncGenerator<string>,
  stallMs: number,
  reply: FastifyReply,
): AsyncGenerator<string> {
  for await (const frame of frames) {
    const timer = setTimeout(() => reply.raw.destroy(), stallMs);
    try {
      yield frame;
    } finally {
      clearTimeout(timer);
    }
  }
}
