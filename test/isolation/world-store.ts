import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Customer } from "../../src/model/customer.ts";
import { instant, type Instant } from "../../src/model/instant.ts";
import type { ApiParts } from "../../src/present/api/api-parts.ts";
import type { EventJson, EventsPageJson } from "../../src/present/api/contract.ts";
import type { Store } from "../../src/store/store.ts";
import type { TokenScope } from "../../src/store/token-store.ts";
import { bearer, startApi } from "../api-host.ts";
import { hashOf, tokenText } from "../api-world.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { partsOver } from "./matrix-world.ts";
import { spellView, type TrueEvent } from "./true-event.ts";
import { visible, type Holding } from "./oracle.ts";
import type { Asker, World } from "./world-model.ts";

/** One store with the API over it, that many worlds are told to, each apart from all others. */
export class WorldStore {
  readonly #database: TestStore;
  readonly app: FastifyInstance;
  readonly port: number;
  readonly #customers: Customer[];
  readonly #clock: { now: Instant };
  /** Every event that the store was told of, by its moment. */
  readonly #known = new Map<number, TrueEvent>();
  #providers = false;

  private constructor(
    database: TestStore,
    app: FastifyInstance,
    customers: Customer[],
    clock: { now: Instant },
  ) {
    this.#database = database;
    this.app = app;
    this.port = (app.server.address() as AddressInfo).port;
    this.#customers = customers;
    this.#clock = clock;
  }

  static async open(
    parts: Partial<ApiParts> = {},
    wrap: (store: Store) => Store = (store) => store,
  ): Promise<WorldStore> {
    const database = await openTestStore();
    const customers: Customer[] = [];
    const clock = { now: instant(Date.parse("2027-06-01T00:00:00Z")) };
    const store = wrap(database.store);
    const app = await startApi(store, {
      ...partsOver(store),
      tenantSettings: { customers },
      clock: () => clock.now,
      ...parts,
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return new WorldStore(database, app, customers, clock);
  }

  /** Tells the world's tokens, customers and names, before anything happens in it. */
  async prepare(world: World): Promise<void> {
    const { events, tokens } = this.#database.store;
    this.#customers.push({
      id: world.customer.id,
      name: "acme",
      members: world.customer.owners.map(({ plane, project }) => ({
        controlPlane: plane,
        projectId: project!,
      })),
    });
    for (const asker of world.askers) {
      if (asker.who.kind === "provider" && this.#providers) continue;
      const name = tokenNameOf(world, asker);
      await tokens.create({ name, hash: hashOf(tokenText(name)), scope: scopeOf(world, asker) });
    }
    this.#providers = true;
    for (const plane of world.planes) {
      await events.connect({ name: plane, source: "cloudevents", controlPlane: plane, config: {} });
      await this.#append(world, plane, [], true);
    }
    // What is known of tenants is read again after some seconds.
    this.#clock.now = instant(this.#clock.now + 6_000);
  }

  async tell(world: World, told: readonly TrueEvent[]): Promise<void> {
    for (const event of told) this.#known.set(event.at, event);
    for (const plane of world.planes) {
      const here = told.filter((event) => planeOf(event, world) === plane);
      if (here.length > 0) await this.#append(world, plane, here, false);
    }
  }

  async #append(world: World, plane: string, told: readonly TrueEvent[], withFacts: boolean): Promise<void> {
    await this.#database.store.events.append({
      connection: plane,
      stream: "main",
      controlPlane: plane,
      events: told.map(({ storable }) => storable),
      facts: withFacts ? world.factsOf(plane) : [],
      rejects: [],
      completeTo: world.to,
    });
  }

  eventAt(occurredAt: string): TrueEvent | undefined {
    return this.#known.get(Date.parse(occurredAt));
  }

  /** What a shown event is, in the oracle's words; what nobody told of is told so. */
  spell(shown: EventJson): string {
    const event = this.eventAt(shown.occurred_at);
    if (event === undefined) return `what was never stored, at ${shown.occurred_at}`;
    const { connection, attribution } = shown;
    if (connection !== undefined) return spellView(event.name, { as: "whole" });
    const as = attribution.status === "affected" ? "notice" : "owner";
    return `${as} ${event.name} of ${attribution.project_id ?? `all-of-${attribution.domain_id}`}`;
  }

  /** Whether the asker may see the event in the very edition that is shown. */
  maySee(asker: Asker, shown: EventJson): boolean {
    const event = this.eventAt(shown.occurred_at);
    const says = this.spell(shown);
    return (
      event !== undefined && visible(asker.who, event).some((view) => spellView(event.name, view) === says)
    );
  }

  async get(world: World, asker: Asker, path: string) {
    return this.app.inject({ method: "GET", url: `/api/v1${path}`, headers: headersOf(world, asker) });
  }

  /** All pages of a list. */
  async list(world: World, asker: Asker, path: string): Promise<readonly EventJson[]> {
    const events: EventJson[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < 200; pages += 1) {
      const at: string = cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`;
      const answer = await this.get(world, asker, at);
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${answer.body}`);
      const page: EventsPageJson = answer.json();
      events.push(...page.events);
      cursor = page.next_cursor;
      if (cursor === null) return events;
    }
    throw new Error(`${path} has no end`);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.#database.close();
  }
}

export function headersOf(world: World, asker: Asker): { authorization: string } {
  return bearer(tokenNameOf(world, asker));
}

function tokenNameOf({ number }: World, { name, who }: Asker): string {
  return who.kind === "provider" ? name : `${name} of world ${number}`;
}

/** Events of nobody are told of on the first control plane. */
function planeOf({ whose }: TrueEvent, { planes }: World): string {
  if (whose.is === "owned") return whose.by.plane;
  return whose.is === "shared" ? whose.among[0]!.plane : planes[0];
}

function scopeOf({ customer }: World, { name, who }: Asker): TokenScope {
  if (who.kind === "provider") return { kind: "provider", role: who.role };
  if (who.kind !== "tenant") throw new Error(`${name} has no token`);
  const [first] = who.holdings as readonly [Holding];
  if (name === "customer") return { kind: "customer", customerId: customer.id, role: first.role };
  return first.on === "project"
    ? { kind: "project", controlPlane: first.plane, projectId: first.id, role: first.role }
    : { kind: "domain", controlPlane: first.plane, domainId: first.id, role: first.role };
}
