import { rest } from "../../src/sources/rest.ts";
import type { HttpClient, HttpResponse } from "../../src/sources/source.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { answerJson, httpClientOver } from "./http-model.ts";
import { heldFor } from "./held-commit.ts";
import type { PullScenario, ScenarioPlace } from "./scenario.ts";
import type { Actor } from "./world.ts";

interface Step {
  readonly id: string;
  readonly at: string;
  readonly type: "status" | "comment";
  readonly who: string;
  readonly from: string;
  readonly to: string;
}

interface Ticket {
  readonly id: string;
  readonly created: string;
  /** All that it was called; whoever lists it before reading its history tells the history with an earlier one. */
  readonly titles: string[];
  status: string;
  updatedMs: number;
  readonly steps: Step[];
}

/** What is told of a ticket may be stored and indexed so much later. */
const commitDelayMs = 60_000;

/** A desk of tickets behind paged REST: steps and titles change while it is read, and the search index lags behind. */
export class TicketModel implements PullScenario {
  readonly name = "rest";
  readonly source = rest;
  readonly config: JsonObject;
  readonly settleMs = 3 * commitDelayMs;
  readonly workerClockErrorMs = 200_000;
  readonly #place: ScenarioPlace;
  readonly #tickets = new Map<string, Ticket>();
  /** How far the desk's clock is from ours. */
  readonly #clockMs: number;
  #lastTicket = 0;
  #lastStep = 0;
  #lastTitle = 0;

  constructor(place: ScenarioPlace) {
    this.#place = place;
    const { random } = place.world;
    this.#clockMs = place.active.has("clock error") ? random.between(-59_000, 59_000) : 0;
    this.config = configOf(random.pick([2, 3, 10]), random.pick([60, 90, 300]));
    // A history that cannot be read in five passes is set aside with the reason; a comparison may read it later.
    place.ledger.excuse = ({ reason, bytes }) =>
      reason.includes("a history that could not be read")
        ? `${(JSON.parse(new TextDecoder().decode(bytes)) as { id: string }).id}/`
        : undefined;
    place.ledger.contentOf = ({ summary }) => summary.slice(summary.lastIndexOf(": ") + 2);
  }

  reach(actor: Actor): { readonly http: HttpClient; readonly sql: () => never } {
    const http = httpClientOver(this.#place, actor, (_request, url) => this.#answer(url));
    return { http, sql: () => neverAsked() };
  }

  act(): void {
    const { world, active } = this.#place;
    const { random } = world;
    const count = active.has("bursts") && random.chance(0.2) ? random.between(3, 6) : 1;
    for (let made = 0; made < count; made += 1) {
      const tickets = [...this.#tickets.values()].filter(({ created }) => created !== "never");
      const what = random.next();
      if (what < 0.35 || tickets.length === 0) this.#open();
      else if (what < 0.9 || !active.has("recomputed")) this.#step(random.pick(tickets));
      else this.#rename(random.pick(tickets));
    }
  }

  calm(): void {
    this.#place.world.note("the desk closes");
  }

  #open(): void {
    const { world, active, ledger } = this.#place;
    const isPoison = active.has("poison") && world.random.chance(0.15);
    const id = String((this.#lastTicket += 1));
    const atMs = this.#now();
    const created = isPoison ? "never" : new Date(atMs).toISOString();
    const title = `title ${(this.#lastTitle += 1)}`;
    const isLate = this.#isLate();
    this.#later(`ticket ${id} is opened`, isLate, () => {
      this.#tickets.set(id, { id, created, titles: [title], status: "new", updatedMs: atMs, steps: [] });
      if (isPoison) ledger.tellPoison(`{"id":"${id}"`, isLate);
      else this.#tell(`${id}/created`, { atMs, isLate }, [title]);
    });
  }

  #step(ticket: Ticket): void {
    const { random } = this.#place.world;
    const atMs = this.#now();
    const type = random.chance(0.5) ? "status" : "comment";
    const id = `t${(this.#lastStep += 1)}`;
    const isLate = this.#isLate();
    this.#later(`step ${id} of ticket ${ticket.id}`, isLate, () => {
      const to = ticket.status === "resolved" ? "open" : random.pick(["open", "resolved", "stalled"]);
      const isSame = to === ticket.status;
      const step: Step = {
        id,
        at: new Date(atMs).toISOString(),
        type,
        who: "agent",
        from: ticket.status,
        to,
      };
      ticket.steps.push(step);
      ticket.updatedMs = Math.max(ticket.updatedMs, atMs);
      if (type === "status") ticket.status = to;
      // A comment of the very moment of opening is the opening's own text.
      if ((type === "status" && isSame) || (type === "comment" && step.at === ticket.created)) return;
      this.#tell(`${ticket.id}/${id}`, { atMs, isLate }, ticket.titles);
    });
  }

  #rename(ticket: Ticket): void {
    const atMs = this.#now();
    this.#later(`ticket ${ticket.id} is renamed`, false, () => {
      const title = `title ${(this.#lastTitle += 1)}`;
      ticket.titles.push(title);
      ticket.updatedMs = Math.max(ticket.updatedMs, atMs);
      const { ledger } = this.#place;
      const keys = [`${ticket.id}/created`, ...ticket.steps.map(({ id }) => `${ticket.id}/${id}`)];
      for (const key of keys) if (ledger.elements.has(key)) ledger.tellContent(key, title);
    });
  }

  /** A desk that breaks its contract indexes a few things much later than it promises. */
  #isLate(): boolean {
    return this.#place.breaks && this.#place.world.random.chance(0.1);
  }

  #tell(
    key: string,
    { atMs, isLate }: { readonly atMs: number; readonly isLate: boolean },
    titles: readonly string[],
  ): void {
    this.#place.ledger.tell({ key, atMs, ...(isLate ? { breach: "late-commit" } : {}) });
    for (const title of titles) this.#place.ledger.tellContent(key, title);
  }

  #later(what: string, isLate: boolean, run: () => void): void {
    const heldMs = isLate
      ? commitDelayMs + this.#place.world.random.between(20_000, 150_000)
      : heldFor(this.#place, commitDelayMs - 1_500, 900);
    this.#place.world.schedule(heldMs, what, run);
  }

  #now(): number {
    const ms = this.#place.world.nowMs + this.#clockMs;
    return this.#place.active.has("ties") ? Math.floor(ms / 1_000) * 1_000 : ms;
  }

  #answer(url: URL): HttpResponse {
    const after = url.searchParams.get("after") ?? "";
    const limit = Number(url.searchParams.get("limit"));
    const date = new Date(this.#place.world.nowMs + this.#clockMs).toUTCString();
    const [, id] = /^\/tickets\/(\d+)\/history$/.exec(url.pathname) ?? [];
    if (id !== undefined) {
      const steps = (this.#tickets.get(id)?.steps ?? [])
        .toSorted((a, b) => numberOf(a.id) - numberOf(b.id))
        .filter((step) => numberOf(step.id) > numberOf(after));
      return answerJson({ items: steps.slice(0, limit) }, { date });
    }
    const sinceMs = Date.parse(url.searchParams.get("since") ?? "");
    const found = [...this.#tickets.values()]
      .filter(({ updatedMs, id: one }) => updatedMs >= sinceMs && Number(one) > Number(after))
      .toSorted((a, b) => Number(a.id) - Number(b.id))
      .slice(0, limit)
      .map(({ id: one, created, titles, status }) => ({ id: one, created, title: titles.at(-1), status }));
    return answerJson({ items: found }, { date });
  }
}

function configOf(pageSize: number, overlapSeconds: number): JsonObject {
  const paging = { by: "keyset", first: "0" };
  const query = { after: "{after}", limit: "{page_size}" };
  return {
    url: "https://desk.example",
    auth: { bearer: "env:TOKEN" },
    name: "desk",
    page_size: pageSize,
    overlap_seconds: overlapSeconds,
    look_back_hours: 1,
    api: {
      tickets: { path: "tickets", query: { ...query, since: "{since}" }, items: "items", paging },
      since: "rfc3339",
      precision_ms: 1,
      fields: { id: "id", title: "title", created: "created", status: "status" },
      history: {
        path: "tickets/{id}/history",
        query,
        items: "items",
        paging,
        id: "id",
        at: "at",
        actor: "who",
        match: [
          { when: { type: "status" }, means: "status" },
          { when: { type: "comment" }, means: "comment" },
        ],
        from: "from",
        to: "to",
      },
      done: ["resolved"],
    },
  };
}

function numberOf(id: string): number {
  return Number(id.replace("t", ""));
}

export function neverAsked(): never {
  throw new Error("this source is asked over HTTP");
}
