import { zabbix } from "../../src/sources/zabbix.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../../src/sources/source.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { answerJson, httpClientOver } from "./http-model.ts";
import { heldFor } from "./held-commit.ts";
import type { PullScenario, ScenarioPlace } from "./scenario.ts";
import { neverAsked } from "./ticket-model.ts";
import type { Actor } from "./world.ts";

interface TriggerEvent {
  readonly eventid: string;
  readonly objectid: string;
  readonly clock: string;
  readonly ns: string;
  readonly value: "0" | "1";
  readonly name: string;
  readonly severity: string;
  r_eventid: string;
}

const commitDelayMs = 60_000;

interface EventQuery {
  readonly eventid_from?: string;
  readonly time_from?: number;
  readonly objectids?: readonly string[];
  readonly value?: readonly number[];
  readonly sortorder?: "ASC" | "DESC";
  readonly limit?: number;
}

/** A Zabbix server: ids are given as events begin, and written by several processes in batches. */
export class ZabbixModel implements PullScenario {
  readonly name = "zabbix";
  readonly source = zabbix;
  readonly config: JsonObject;
  readonly settleMs = 2 * commitDelayMs;
  readonly workerClockErrorMs = 3_600_000;
  readonly #place: ScenarioPlace;
  readonly #events = new Map<string, TriggerEvent>();
  /** Problems that have not recovered, by trigger. */
  readonly #problems = new Map<string, string>();
  readonly #clockMs: number;
  /** How far the clocks of the frontends are off, one of which answers each request. */
  readonly #frontendsMs: readonly number[];
  #lastId = 1_000;

  constructor(place: ScenarioPlace) {
    this.#place = place;
    const { random } = place.world;
    const isOff = place.active.has("clock error");
    this.#clockMs = isOff ? random.between(-2_400, 2_400) : 0;
    this.#frontendsMs = isOff ? [-2_400, 2_400] : [0];
    place.ledger.isFinal = true;
    this.config = {
      url: "https://zabbix.example",
      token: "env:TOKEN",
      page_size: random.pick([1, 2, 3, 10]),
      overlap_seconds: random.pick([60, 90, 300]),
      look_back_hours: 1,
    };
  }

  reach(actor: Actor): { readonly http: HttpClient; readonly sql: () => never } {
    const http = httpClientOver(this.#place, actor, (request) => this.#answer(request));
    return { http, sql: () => neverAsked() };
  }

  act(): void {
    const { random } = this.#place.world;
    const isBurst = this.#place.active.has("bursts") && random.chance(0.2);
    for (let count = isBurst ? random.between(3, 8) : 1; count > 0; count -= 1) this.#happen();
  }

  calm(): void {
    this.#place.world.note("nothing happens any more");
  }

  #happen(): void {
    const { world, active, ledger } = this.#place;
    const { random } = world;
    const trigger = String(random.between(1, 6));
    const problem = this.#problems.get(trigger);
    const eventid = String((this.#lastId += random.chance(0.1) ? random.between(2, 4) : 1));
    const isPoison = active.has("poison") && random.chance(0.1);
    if (problem === undefined) this.#problems.set(trigger, eventid);
    else this.#problems.delete(trigger);
    const atMs = world.nowMs + this.#clockMs;
    const seconds = Math.floor(atMs / 1000);
    const event: TriggerEvent = {
      eventid,
      objectid: trigger,
      clock: isPoison ? "soon" : String(seconds),
      ns: active.has("ties") ? "0" : String((atMs % 1000) * 1_000_000),
      value: problem === undefined ? "1" : "0",
      name: `trigger ${trigger}`,
      severity: "3",
      r_eventid: "0",
    };
    const isLate = this.#place.breaks && random.chance(0.1);
    const heldMs = isLate
      ? commitDelayMs + random.between(20_000, 150_000)
      : heldFor(this.#place, commitDelayMs - 1_100, 500);
    const fails = active.has("rollbacks") && random.chance(0.1);
    world.schedule(heldMs, `event ${eventid} is written${fails ? " not" : ""}`, () => {
      if (fails) return;
      this.#events.set(eventid, event);
      const ended = problem === undefined ? undefined : this.#events.get(problem);
      if (ended !== undefined) ended.r_eventid = eventid;
      const at = seconds * 1000 + (active.has("ties") ? 0 : atMs % 1000);
      if (isPoison) ledger.tellPoison(`event.get ${eventid}\n`, isLate);
      else ledger.tell({ key: eventid, atMs: at, ...(isLate ? { breach: "late-commit" } : {}) });
    });
  }

  #answer({ body = "" }: HttpRequest): HttpResponse {
    const { method, params } = JSON.parse(body) as { method: string; params: EventQuery };
    const { world } = this.#place;
    const date = new Date(world.nowMs + world.random.pick(this.#frontendsMs)).toUTCString();
    const result = method === "apiinfo.version" ? "6.0.9" : method === "event.get" ? this.#find(params) : [];
    return answerJson({ jsonrpc: "2.0", result, id: 1 }, { date });
  }

  #find({ eventid_from: from, time_from: time, objectids, value, sortorder, limit }: EventQuery) {
    return [...this.#events.values()]
      .filter(
        (event) =>
          (from === undefined || BigInt(event.eventid) >= BigInt(from)) &&
          // What has no time that can be read is found by every question for times.
          (time === undefined || event.clock === "soon" || Number(event.clock) >= time) &&
          (objectids === undefined || objectids.includes(event.objectid)) &&
          (value === undefined || value.includes(Number(event.value))),
      )
      .toSorted((a, b) => (Number(a.eventid) - Number(b.eventid)) * (sortorder === "DESC" ? -1 : 1))
      .slice(0, limit)
      .map((event) => ({ ...event, hosts: [], tags: [] }));
  }
}
