import { setTimeout as pause } from "node:timers/promises";
import type { EventJson, EventsPageJson, SourcesJson } from "../../src/present/api/contract.ts";
import { tenantDomain } from "./job-table.ts";
import { tokens } from "./lab.ts";
import { patience } from "./patience.ts";

/** A moment that a connection was called complete to, and what could be read before it right afterwards. */
export interface Claim {
  readonly connection: string;
  readonly completeTo: number;
  readonly seen: ReadonlySet<string>;
  /** Spans that the store itself calls doubtful. */
  readonly holes: readonly { readonly from: number; readonly to: number }[];
}

/** What names an event in the truth of its source. */
export function nameOf(event: Pick<EventJson, "connection" | "key" | "summary">): string {
  return event.connection === "desk" ? (event.key ?? "") : event.summary;
}

/** An answer that is slower than this is none. */
const answerMsMax = 20_000 * patience;
const restMs = 1_500;

/** Reads through the API for as long as a fault goes on, as the provider and as a tenant, and remembers what it was told. */
export class ApiReader {
  readonly #address: () => string;
  readonly claims: Claim[] = [];
  /** Ids that were ever shown, by viewer. */
  readonly shown: Record<"provider" | "tenant", Set<string>> = { provider: new Set(), tenant: new Set() };
  /** How often the tenant was shown what belongs to others. */
  foreign = 0;
  hangs = 0;
  failures = 0;
  #stopped = true;
  #running: Promise<void> | undefined;

  constructor(address: () => string) {
    this.#address = address;
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Every event of the connection, or of all; throws while the API does not answer. */
  async events(
    filter: Readonly<Record<string, string>> = {},
    token: string = tokens.provider,
  ): Promise<readonly EventJson[]> {
    const events: EventJson[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ ...filter, limit: "2000", order: "oldest" });
      if (cursor !== null) query.set("cursor", cursor);
      const page: EventsPageJson = await this.#get(`/api/v1/events?${query.toString()}`, token);
      events.push(...page.events);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return events;
  }

  sources(): Promise<SourcesJson> {
    return this.#get("/api/v1/sources", tokens.provider);
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#look();
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.failures += 1;
      }
      await pause(restMs);
    }
  }

  async #look(): Promise<void> {
    // The claim first: what it covers has to be there from then on.
    const { connections } = await this.sources();
    for (const { connection, complete_to: completeTo, ...rest } of connections) {
      if (completeTo === null) continue;
      const events = await this.events({ source: connection, to: completeTo });
      for (const { id } of events) this.shown.provider.add(id);
      const holes = (rest as { holes?: readonly { from: string; to: string }[] }).holes ?? [];
      this.claims.push({
        connection,
        completeTo: Date.parse(completeTo),
        seen: new Set(events.map(nameOf)),
        holes: holes.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) })),
      });
    }
    for (const event of await this.events({}, tokens.tenant)) {
      this.shown.tenant.add(event.id);
      if (event.attribution.domain_id !== tenantDomain) this.foreign += 1;
    }
  }

  async #get<Body>(path: string, token: string): Promise<Body> {
    const began = performance.now();
    try {
      const answer = await fetch(this.#address() + path, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(answerMsMax),
      });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 200)}`);
      return JSON.parse(text) as Body;
    } finally {
      if (performance.now() - began >= answerMsMax) this.hangs += 1;
    }
  }
}
