import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { SeededRandom } from "./seeded-random.ts";

interface Step {
  readonly id: string;
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly visibleAt: number;
}

interface Ticket {
  readonly id: number;
  readonly title: string;
  readonly createdAt: number;
  /** When its transaction commits, so that it can be read. */
  readonly visibleAt: number;
  readonly steps: Step[];
}

/** What the desk does to a request instead of answering it as it should; undefined lets it pass. */
export type Misbehaviour = (response: ServerResponse, respond: () => void) => void;

/** A ticket system with a REST API that knows exactly what it has told: the truth that the store is compared with. */
export class TicketDesk {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #tickets: Ticket[] = [];
  readonly #random: SeededRandom;
  /** When each request came, for looking at the rate. */
  readonly requests: number[] = [];
  /** The token that requests have to carry. */
  token = "desk-token-1";
  misbehave: ((path: string) => Misbehaviour | undefined) | undefined;
  /** Changes an item before it is told, as a new release of the desk would. */
  drift: ((item: Record<string, unknown>) => Record<string, unknown>) | undefined;

  private constructor(random: SeededRandom) {
    this.#random = random;
    this.#server = createServer((request, response) => this.#take(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket)).on("error", () => socket.destroy());
    });
  }

  static async open(random: SeededRandom): Promise<TicketDesk> {
    const desk = new TicketDesk(random);
    await new Promise<void>((listening, failed) => {
      desk.#server.once("error", failed).listen(0, "127.0.0.1", listening);
    });
    return desk;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection to it. */
  forget(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.forget();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  /** Opens tickets that bear one and the same moment, as an import does; each is readable after a delay of its own. */
  openTickets(count: number, at = Date.now(), delayMsMax = 0): void {
    for (let index = 0; index < count; index += 1) {
      const id = this.#tickets.length + 1;
      const visibleAt = at + (delayMsMax === 0 ? 0 : this.#random.whole(0, delayMsMax));
      this.#tickets.push({ id, title: `T${id}`, createdAt: at, visibleAt, steps: [] });
    }
  }

  /** Moves some tickets on: opened ones are resolved, resolved ones now and then opened again. */
  moveOn(count: number, at = Date.now(), delayMsMax = 0): void {
    for (let index = 0; index < count && this.#tickets.length > 0; index += 1) {
      const ticket = this.#random.pick(this.#tickets);
      const from = ticket.steps.at(-1)?.to ?? "open";
      const last = ticket.steps.at(-1);
      if (at <= Math.max(ticket.visibleAt, last?.visibleAt ?? 0) || ticket.steps.length >= 4) continue;
      const to = from === "open" ? "resolved" : "open";
      const visibleAt = at + (delayMsMax === 0 ? 0 : this.#random.whole(0, delayMsMax));
      ticket.steps.push({ id: `${ticket.id}-${ticket.steps.length + 1}`, at, from, to, visibleAt });
    }
  }

  /** Every event that a reader has to know by now, by its key, with its time. */
  truth(now = Date.now()): ReadonlyMap<string, number> {
    const events = new Map<string, number>();
    for (const ticket of this.#tickets) {
      if (ticket.visibleAt > now) continue;
      events.set(`${ticket.id}/created`, ticket.createdAt);
      for (const { id, at, visibleAt } of ticket.steps) {
        if (visibleAt <= now) events.set(`${ticket.id}/${id}`, at);
      }
    }
    return events;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(Date.now());
    request.resume();
    response.on("error", () => undefined);
    const url = new URL(request.url ?? "/", this.url);
    const respond = () => this.#answer(url, request, response);
    const odd = this.misbehave?.(url.pathname);
    if (odd === undefined) respond();
    else odd(response, respond);
  }

  #answer(url: URL, request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      sendJson(response, 401, { error: "who are you?" });
      return;
    }
    const now = Date.now();
    const size = Number(url.searchParams.get("limit") ?? "20");
    const history = /^\/tickets\/(\d+)\/history$/.exec(url.pathname);
    if (history !== null) {
      const ticket = this.#tickets[Number(history[1]) - 1];
      const steps = ticket?.steps.filter(({ visibleAt }) => visibleAt <= now) ?? [];
      const told = steps.map(({ id, at, from, to }) => ({
        id,
        at: iso(at),
        by: "u1",
        kind: "status",
        from,
        to,
      }));
      const after = Number(url.searchParams.get("after") ?? "0");
      const rest = told.filter((_, index) => index + 1 > after);
      sendJson(response, 200, {
        items: rest.slice(0, size),
        next: rest.length > size ? `${url.pathname}?after=${after + size}&limit=${size}` : null,
      });
      return;
    }
    const since = Number(url.searchParams.get("since") ?? "0") * 1000;
    const after = Number(url.searchParams.get("after") ?? "0");
    const found = this.#tickets.filter(
      (ticket) => ticket.id > after && ticket.visibleAt <= now && changedAt(ticket, now) >= since,
    );
    const items = found.slice(0, size).map((ticket) => {
      const item = {
        id: ticket.id,
        title: ticket.title,
        created: iso(ticket.createdAt),
        status: ticket.steps.findLast(({ visibleAt }) => visibleAt <= now)?.to ?? "open",
      };
      return this.drift?.(item) ?? item;
    });
    sendJson(response, 200, { items });
  }
}

function changedAt(ticket: Ticket, now: number): number {
  return ticket.steps.findLast(({ visibleAt }) => visibleAt <= now)?.at ?? ticket.createdAt;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
    ...headers,
  });
  response.end(text);
}

/** The desk in the words of the `rest` source. */
export const deskApi = {
  tickets: {
    path: "tickets",
    query: { since: "{since}", after: "{after}", limit: "{page_size}" },
    items: "items",
    paging: { by: "keyset", first: "0" },
  },
  since: "epoch",
  precision_ms: 1,
  fields: { id: "id", title: "title", created: "created", status: "status" },
  history: {
    path: "tickets/{id}/history",
    query: { limit: "{page_size}" },
    items: "items",
    paging: { by: "link", at: "next" },
    id: "id",
    at: "at",
    actor: "by",
    match: [{ when: { kind: "status" }, means: "status" }],
    from: "from",
    to: "to",
  },
  done: ["resolved"],
} as const;
