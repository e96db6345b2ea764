import { connect, type AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { Store } from "../../store/store.ts";
import type { ApiLimits, ApiParts } from "./api-parts.ts";
import type { EventJson, EventsPageJson } from "./contract.ts";
import { bearer, get, getJson, problemIn, startApi } from "../../../test/api-host.ts";
import {
  appendEvents,
  dev,
  fillWorld,
  ownedEvent,
  prod,
  south,
  tokenText,
  hashOf,
  web,
  worldEnd,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let store: Store;
const servers: FastifyInstance[] = [];

beforeEach(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await database.close();
});

/** A listening server; waits are short, so that what happens rarely happens soon. */
async function listen(limits: Partial<ApiLimits> = {}, parts: Partial<ApiParts> = {}): Promise<number> {
  const server = await startApi(store, { ...parts, limits: { liveHeartbeatMs: 50, ...limits } });
  servers.push(server);
  await server.listen({ host: "127.0.0.1", port: 0 });
  return (server.server.address() as AddressInfo).port;
}

/** Reads a stream frame by frame; `frames` throws when the server ends it first. */
class Listener {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly status: number;
  readonly #abort: AbortController;
  #text = "";

  constructor(answer: Response, abort: AbortController) {
    this.status = answer.status;
    this.#abort = abort;
    this.#reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async open(
    port: number,
    as: string,
    query = "",
    headers: Record<string, string> = {},
  ): Promise<Listener> {
    const abort = new AbortController();
    const url = `http://127.0.0.1:${port}/api/v1/live${query}`;
    const answer = await fetch(url, { headers: { ...bearer(as), ...headers }, signal: abort.signal });
    return new Listener(answer, abort);
  }

  async frame(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const frame = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return frame;
      }
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  /** The next `count` events. */
  async events(count: number): Promise<EventJson[]> {
    const events: EventJson[] = [];
    while (events.length < count) {
      const frame = await this.frame();
      if (frame === undefined) throw new Error(`the stream ended after ${events.length} events`);
      const data = /^id: (.+)\nevent: event\ndata: (.+)$/.exec(frame);
      if (data === null) continue;
      const event = JSON.parse(data[2]!) as EventJson;
      if (data[1] !== event.id) throw new Error("the frame's id is not the event's");
      events.push(event);
    }
    return events;
  }

  /** Reads until the server ends the stream, and gives how many frames were left. */
  async ended(): Promise<number> {
    let frames = 0;
    while ((await this.frame()) !== undefined) frames++;
    return frames;
  }

  close(): void {
    this.#abort.abort();
  }
}

let appended = 0;
async function append(tenant: typeof prod | typeof south, count = 1): Promise<void> {
  const events = Array.from({ length: count }, () => {
    const key = `live-${appended++}`;
    return ownedEvent(tenant, { kind: "server", id: `of-${key}` }, key, instant(worldEnd + appended));
  });
  await appendEvents(store, events);
}

/** What the events are about, sorted: those of one commit have no order of their own. */
const subjects = (events: readonly EventJson[]) => events.map((event) => event.subject.id).toSorted();

describe("a live stream", () => {
  test("brings each new event in scope once, and none that was there before", async () => {
    const port = await listen();
    const listener = await Listener.open(port, "north");
    expect(await listener.frame()).toBe("retry: 3000");
    // The first beat tells that the place to start from is taken.
    expect(await listener.frame()).toBe(":");
    appended = 100;
    await append(prod);
    await append(south);
    await append(dev, 2);
    expect(subjects(await listener.events(3))).toEqual(["of-live-100", "of-live-102", "of-live-103"]);
    listener.close();
  });

  test("stays silent until its beat is due, whatever is stored for others meanwhile", async () => {
    let reads = 0;
    const feed: typeof store.reader.feed = async (...args) => {
      const page = await store.reader.feed(...args);
      reads += 1;
      return page;
    };
    const reader = { ...store.reader, feed };
    const port = await listen({ liveHeartbeatMs: 600_000 }, { store: { ...store, reader } });
    const listener = await Listener.open(port, "north");
    expect(await listener.frame()).toBe("retry: 3000");
    for (let round = 1; round <= 5; round++) {
      const before = reads;
      if (round > 1) await append(south);
      while (reads === before) await new Promise((resolve) => setImmediate(resolve));
    }
    await append(prod);
    expect(await listener.frame()).toContain("event: event");
    listener.close();
  });

  test("resumes after the last event that was seen, without a gap and without a repeat", async () => {
    const port = await listen();
    const listener = await Listener.open(port, "provider");
    await listener.frame();
    await listener.frame();
    appended = 200;
    await append(prod);
    await append(south);
    await append(prod, 2);
    const seen = await listener.events(2);
    expect(subjects(seen)).toEqual(["of-live-200", "of-live-201"]);
    listener.close();
    await append(south);
    const header = await Listener.open(port, "provider", "", { "last-event-id": seen[1]!.id });
    expect(subjects(await header.events(3))).toEqual(["of-live-202", "of-live-203", "of-live-204"]);
    await append(dev);
    expect(subjects(await header.events(1))).toEqual(["of-live-205"]);
    header.close();
    const query = await Listener.open(port, "provider", `?last_event_id=${seen[0]!.id}`);
    expect(subjects(await query.events(1))).toEqual(["of-live-201"]);
    query.close();
  });

  test("takes the same filters as a page", async () => {
    const port = await listen();
    const listener = await Listener.open(port, "provider", "?project=p-south&q=live-30");
    await listener.frame();
    await listener.frame();
    appended = 300;
    await append(prod);
    await append(south);
    await append(dev);
    await append(south);
    expect(subjects(await listener.events(2))).toEqual(["of-live-301", "of-live-303"]);
    listener.close();
  });

  test("takes back by its id what its filter no longer lets pass, and what was never let pass by nothing", async () => {
    const port = await listen();
    const listener = await Listener.open(port, "provider", "?project=p-south&kind=change");
    await listener.frame();
    await listener.frame();
    appended = 350;
    await append(south);
    const [first] = await listener.events(1);
    const owned = ownedEvent(prod, { kind: "server", id: "s" }, "live-350", instant(worldEnd + 351));
    const { attribution, editions } = owned;
    await store.events.reattributed({ token: { marks: [] }, events: [] }, [
      {
        eventId: first!.id,
        occurredAt: instant(Date.parse(first!.occurred_at)),
        attribution,
        editions,
        dependsOn: [],
      },
    ]);
    await append(prod);
    await append(south);
    const frames: string[] = [];
    while (!frames.at(-1)?.includes("of-live-352")) {
      const frame = (await listener.frame())!;
      if (frame !== ":") frames.push(frame);
    }
    expect(frames).toEqual([
      `event: retracted\ndata: ${JSON.stringify({ id: first!.id })}`,
      expect.stringContaining("of-live-352"),
    ]);
    listener.close();
  });

  test("from an event that is not the tenant's is refused as an unknown one is", async () => {
    const app = await startApi(store);
    servers.push(app);
    const foreign = (await getJson<EventsPageJson>(app, "/events?project=p-south&limit=1", "provider"))
      .events[0]!.id;
    const refused = [
      await get(app, `/live?last_event_id=${foreign}`, "prod"),
      await get(app, "/live?last_event_id=none", "prod"),
      await get(app, "/live", "prod", { "last-event-id": "a b" }),
    ];
    for (const answer of refused) expect(problemIn(answer).code).toBe("cursor-invalid");
    expect(new Set(refused.map((answer) => answer.body)).size).toBe(1);
  });

  test("ends when its token is revoked", async () => {
    const token = { name: "brief", hash: hashOf(tokenText("brief")), scope: { kind: "provider" } as const };
    const { id } = await store.tokens.create(token);
    const port = await listen({ liveRecheckMs: 20 });
    const listener = await Listener.open(port, "brief");
    await listener.frame();
    await store.tokens.revoke(id);
    expect(await listener.ended()).toBeGreaterThanOrEqual(0);
  });

  test("ends when the server closes, which does not wait for the client to leave", async () => {
    const port = await listen({ liveHeartbeatMs: 60_000, liveRecheckMs: 60_000 });
    const listener = await Listener.open(port, "provider");
    await listener.frame();
    const [, framesLeft] = await Promise.all([servers.pop()!.close(), listener.ended()]);
    expect(framesLeft).toBeLessThanOrEqual(1);
  });

  test("is cut off when its client does not read", async () => {
    const port = await listen({ liveStallMs: 100 });
    const { server } = servers[0]!;
    const connections = () =>
      new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    const { authorization } = bearer("provider");
    socket.write(`GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    const reader = await Listener.open(port, "provider");
    await reader.frame();
    await reader.frame();
    const read = reader.events(40);
    const long = "x".repeat(400_000);
    // More than the buffers of both ends hold, so that the server has to wait for the reader.
    for (let round = 0; round < 40; round++) {
      const event = ownedEvent(prod, web, `long-${round}`, instant(worldEnd + round));
      await appendEvents(store, [{ ...event, draft: { ...event.draft, details: { long } } }]);
    }
    while ((await connections()) > 1) await new Promise((resolve) => setImmediate(resolve));
    expect(socket.isPaused()).toBe(true);
    expect(await read).toHaveLength(40);
    socket.destroy();
    reader.close();
  });

  test("is refused beyond the number that one principal may have", async () => {
    const port = await listen({ liveStreamsPerPrincipal: 1 });
    const first = await Listener.open(port, "prod");
    await first.frame();
    const second = await Listener.open(port, "prod");
    expect(second.status).toBe(429);
    const other = await Listener.open(port, "south");
    expect(other.status).toBe(200);
    first.close();
    other.close();
  });
});
