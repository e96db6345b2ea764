import { kubernetesEvents } from "../../src/sources/kubernetes-events.ts";
import type { HttpClient, HttpResponse } from "../../src/sources/source.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { heldFor } from "./held-commit.ts";
import { answerJson, httpClientOver } from "./http-model.ts";
import type { Element } from "./ledger.ts";
import type { PullScenario, ScenarioPlace } from "./scenario.ts";
import { neverAsked } from "./ticket-model.ts";
import type { Actor } from "./world.ts";

interface Happening {
  readonly uid: string;
  readonly version: number;
  readonly count: number;
  readonly at: string;
  readonly writtenMs: number;
}

/** How long after its own time an event may be written, and how long the cluster knows what was written when. */
const commitDelayMs = 60_000;

/** A cluster's events: counted up in place, watched from an opaque version that it forgets after a while. */
export class ClusterModel implements PullScenario {
  readonly name = "kubernetes-events";
  readonly source = kubernetesEvents;
  readonly config: JsonObject;
  readonly settleMs = 2 * commitDelayMs;
  readonly workerClockErrorMs = 3_600_000;
  readonly #place: ScenarioPlace;
  readonly #log: Happening[] = [];
  readonly #latest = new Map<string, Happening>();
  readonly #elements = new Map<string, Element>();
  readonly #counts = new Map<string, number>();
  readonly #clockMs: number;
  /** How far the API server's clock is off. */
  readonly #serverMs: number;
  readonly #rememberMs: number;
  #version = 100;
  #lastUid = 0;

  constructor(place: ScenarioPlace) {
    this.#place = place;
    const { random } = place.world;
    this.#clockMs = place.active.has("clock error") ? random.between(-2_900, 2_900) : 0;
    this.#serverMs = place.active.has("clock error") ? random.between(-1_900, 1_900) : 0;
    place.ledger.isFinal = true;
    this.#rememberMs = place.active.has("flicker") ? 45_000 : 300_000;
    this.config = {
      url: "https://cluster.example",
      watch_seconds: random.pick([1, 5, 10]),
      page_size: random.pick([1, 2, 5, 50]),
    };
  }

  reach(actor: Actor): { readonly http: HttpClient; readonly sql: () => never } {
    const http = httpClientOver(this.#place, actor, (_request, url) =>
      url.searchParams.get("watch") === "true" ? this.#watch(url) : this.#list(url),
    );
    return { http, sql: () => neverAsked() };
  }

  act(): void {
    const { random } = this.#place.world;
    const isBurst = this.#place.active.has("bursts") && random.chance(0.2);
    for (let count = isBurst ? random.between(3, 8) : 1; count > 0; count -= 1) this.#happen();
  }

  calm(): void {
    this.#place.world.note("the cluster is quiet");
  }

  #happen(): void {
    const { world, active } = this.#place;
    const { random } = world;
    const isNew = this.#counts.size === 0 || random.chance(0.6);
    const uid = isNew ? `u${(this.#lastUid += 1)}` : random.pick([...this.#counts.keys()]);
    const at = new Date(world.nowMs + this.#clockMs).toISOString();
    const heldMs = heldFor(this.#place, commitDelayMs - 100, 500);
    const isPoison = isNew && active.has("poison") && random.chance(0.1);
    world.schedule(heldMs, `${uid} is written`, () => this.#write(uid, at, isPoison));
  }

  #write(uid: string, at: string, isPoison: boolean): void {
    const { world, ledger } = this.#place;
    const count = (this.#counts.get(uid) ?? 0) + 1;
    if (!isPoison) this.#counts.set(uid, count);
    const before = this.#elements.get(uid);
    if (before !== undefined) before.goneMs ??= world.nowMs;
    const happening = {
      uid,
      count,
      version: (this.#version += world.random.between(1, 3)),
      at: isPoison ? "never" : at,
      writtenMs: world.nowMs,
    };
    this.#log.push(happening);
    this.#latest.set(uid, happening);
    if (isPoison) ledger.tellPoison(`"uid":"${uid}"`);
    else this.#elements.set(uid, ledger.tell({ key: `${uid}/${count}`, atMs: Date.parse(at) }));
  }

  #list(url: URL): HttpResponse {
    const limit = Number(url.searchParams.get("limit"));
    const token = url.searchParams.get("continue");
    const [version = this.#version, start = 0] = (token ?? "").split(":").filter(Boolean).map(Number);
    if (this.#isForgotten(version) && token !== null) return { ...gone, headers: this.#headers() };
    // A list in pages is one of the version at which it began.
    const asOf = new Map<string, Happening>();
    for (const happening of this.#log) if (happening.version <= version) asOf.set(happening.uid, happening);
    const items = [...asOf.values()];
    const more = start + limit < items.length ? { continue: `${version}:${start + limit}` } : {};
    const page = {
      metadata: { resourceVersion: String(version), ...more },
      items: items.slice(start, start + limit).map(toObject),
    };
    return answerJson(page, this.#headers());
  }

  async #watch(url: URL): Promise<HttpResponse> {
    const { world } = this.#place;
    const from = Number(url.searchParams.get("resourceVersion"));
    const headers = this.#headers();
    if (this.#isForgotten(from)) return { ...gone, headers };
    await world.sleep(Number(url.searchParams.get("timeoutSeconds")) * 1000);
    const changes = this.#log.filter(({ version }) => version > from);
    const lines = changes.map((happening) => ({
      type: happening.count === 1 ? "ADDED" : "MODIFIED",
      object: toObject(happening),
    }));
    const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: String(this.#version) } } };
    const all = world.random.chance(0.3) ? [...lines, bookmark] : lines;
    const body = all.map((line) => `${JSON.stringify(line)}\n`).join("");
    return { status: 200, headers, body: new TextEncoder().encode(body) };
  }

  /** An API server dates its answer as it begins to write it. */
  #headers(): { readonly date: string } {
    return { date: new Date(this.#place.world.nowMs + this.#serverMs).toUTCString() };
  }

  /** Changes since that version are only known for a while; what was written last always is. */
  #isForgotten(version: number): boolean {
    const next = this.#log.find((happening) => happening.version > version);
    return next !== undefined && next.writtenMs < this.#place.world.nowMs - this.#rememberMs;
  }
}

const gone: HttpResponse = { status: 410, headers: {}, body: new TextEncoder().encode("{}") };

function toObject({ uid, count, version, at }: Happening): JsonObject {
  return {
    metadata: { uid, name: uid, namespace: "default", resourceVersion: String(version) },
    regarding: { kind: "Pod", name: uid, namespace: "default", uid: `pod-${uid}` },
    reason: "Started",
    type: "Normal",
    deprecatedCount: count,
    deprecatedLastTimestamp: at,
  };
}
