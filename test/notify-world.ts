import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AddressGuard } from "../src/pipeline/address-guard.ts";
import { Poster } from "../src/pipeline/notify/message-post.ts";
import type { NotifyTools } from "../src/pipeline/notify/notify-tools.ts";
import { duration, instant, type Instant } from "../src/model/instant.ts";
import type { NotificationRule } from "../src/model/notification.ts";
import type { Scope } from "../src/model/scope.ts";
import type { AuditRecord } from "../src/store/audit-store.ts";
import type { VisibleEvent } from "../src/store/event-reader.ts";
import type { Store } from "../src/store/store.ts";
import type { TestStore } from "./database.ts";
import { startOfDay } from "./drafts.ts";

/** A request as a receiver got it. */
export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What a receiver does with a request: answers, or what `answer` does itself. */
export type Answer = number | ((request: IncomingMessage, response: ServerResponse) => void);

/** A receiver on loopback that does as it is told, request after request; 204 when it is told nothing. */
export class Receiver {
  readonly received: Received[] = [];
  readonly answers: Answer[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      this.received.push({ path: request.url ?? "", headers: request.headers, body });
      const answer = this.answers.shift() ?? 204;
      if (typeof answer === "number") response.writeHead(answer).end();
      else answer(request, response);
    });
  });

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const testSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** A rule of the provider's that tells each event; its sealed address is the address itself. */
export function testRule(
  name: string,
  url: string,
  fields: Partial<NotificationRule> = {},
): NotificationRule {
  return {
    id: `ntf_${name}`,
    version: 1,
    owner: "provider",
    reach: "security",
    name,
    enabled: true,
    query: {},
    condition: { kind: "each" },
    groupBy: [],
    quietMs: duration(0),
    horizonMs: duration(7 * 86_400_000),
    format: "webhook",
    target: { origin: new URL(url).origin, sealedUrl: url },
    opensIncident: false,
    maker: { subject: "tok_1", name: "maker", grants: [{ kind: "provider", role: "admin" }] },
    decidedAt: startOfDay,
    ...fields,
  };
}

/** Tools over a store, with a clock and chance of the test's own; only loopback may be reached. */
export interface NotifyWorld {
  readonly tools: NotifyTools;
  readonly audited: AuditRecord[];
  readonly errors: unknown[];
  now: Instant;
  /** By a rule's id: no right any more, and why. */
  readonly ended: Map<string, string>;
  close(): Promise<void>;
}

export function scopeOf(rule: NotificationRule): Scope {
  if (rule.owner === "provider")
    return rule.reach === "security" ? { kind: "provider" } : { kind: "provider", security: "withheld" };
  const sensitive = rule.reach === "security" ? { sensitiveKeys: [rule.owner] } : {};
  return { kind: "tenant", label: "tenant", keys: [rule.owner], ...sensitive };
}

export function notifyWorld(
  store: Store,
  deadline: (ms: number) => AbortSignal = () => new AbortController().signal,
): NotifyWorld {
  const audited: AuditRecord[] = [];
  const errors: unknown[] = [];
  const ended = new Map<string, string>();
  const addresses = new AddressGuard({ connection: "a rule", allowNetworks: ["127.0.0.0/8"] });
  let elapsed = 0;
  const poster = new Poster({ addresses, deadline, nowMs: () => (elapsed += 1_000_000), random: () => 0.5 });
  const world: NotifyWorld = {
    audited,
    errors,
    ended,
    now: instant(startOfDay + 3_600_000),
    close: () => poster.close(),
    tools: {
      store: store.notifications,
      reader: store.reader,
      audit: { append: async (records) => void audited.push(...records) },
      rightOf: async ({ rule }) => {
        const problem = ended.get(rule.id);
        return problem === undefined ? { scope: scopeOf(rule) } : { problem };
      },
      matcherOf:
        async ({ query }) =>
        (visible: VisibleEvent) =>
          query.type === undefined || query.type.includes(visible.event.type),
      openTarget: (rule) => ({ url: rule.target.sealedUrl, signingSecret: testSecret }),
      outletOf: () => ({ poster, addresses }),
      conceal: (text) => text.replaceAll("hush", "[redacted]"),
      now: () => world.now,
      random: () => 0.5,
      wait: async () => undefined,
      onError: (error) => void errors.push(error),
    },
  };
  return world;
}

/** Makes the rule known, from this moment of its reader's feed on. */
export async function startRule(store: Store, rule: NotificationRule): Promise<NotificationRule> {
  const { position } = await store.reader.feed(scopeOf(rule), undefined, 1);
  await store.notifications.decide(rule, position.mark ?? "");
  return rule;
}

/** Takes the editions with these summaries away from their tenant, as a later fact would. */
export async function takeAway({ sql }: TestStore, summaries: readonly string[]): Promise<void> {
  await sql("DELETE FROM isochron.tenant_event WHERE summary = ANY($1::text[])", [summaries]);
}

/** Every rule so far is left behind. */
export async function disableRules({ sql }: TestStore): Promise<void> {
  await sql("UPDATE isochron.notification_standing SET enabled = false");
}

/** All that is stored of a rule, in one text. */
export async function storedRule({ sql }: TestStore, id: string): Promise<string> {
  return JSON.stringify(await sql("SELECT * FROM isochron.notification_rule WHERE id = $1", [id]));
}
