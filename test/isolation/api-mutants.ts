import type { ApiParts } from "../../src/present/api/api-parts.ts";
import type { Scope } from "../../src/model/scope.ts";
import type { CorrelationReader } from "../../src/store/correlation-reader.ts";
import type { EventPage, EventReader, VisibleEvent } from "../../src/store/event-reader.ts";
import type { IncidentStore } from "../../src/store/incident-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { TokenStore } from "../../src/store/token-store.ts";
import { findBlast } from "../../src/pipeline/blast.ts";
import { findWhatElse } from "../../src/pipeline/what-else.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import { bearer } from "../api-host.ts";
import { hashOf, tokenText } from "../api-world.ts";
import { tryPairs, type PairsOptions } from "./interference.ts";
import { tryMatrix, type MatrixOptions } from "./matrix.ts";
import { openMatrixWorld, plane } from "./matrix-world.ts";
import type { Report, Size } from "./report.ts";
import { tryWorlds } from "./worlds.ts";

/**
 * Faults of the layer above the database, each put in the place of the real thing: the suite has to notice every one.
 * The store's wall is the real one, so that what is tried is what a wrong question to it would bring.
 */
export async function run(report: Report, _size: Size): Promise<void> {
  // A look that finds fault with the real thing too would prove nothing of a mutant.
  const survivors: string[] = (await endsWithItsToken({})) ? [] : ["a stream outlives its token"];
  for (const [name, { by, ...fault }] of Object.entries(mutants)) {
    if (!(await notices[by](fault))) survivors.push(name);
  }
  const tried = Object.keys(mutants).length;
  const killed = `${tried - survivors.length} of ${tried} killed`;
  const says = survivors.length === 0 ? killed : `${killed}; unnoticed: ${survivors.join("; ")}`;
  report.count("faults of the API", tried, survivors.length, says);
}

interface Fault {
  readonly wrap?: (store: Store) => Store;
  readonly parts?: Partial<ApiParts>;
  /** What the server makes of an answer that was right. */
  readonly alterOne?: NonNullable<MatrixOptions["alter"]>;
  readonly alterAll?: NonNullable<PairsOptions["alter"]>;
}

/** Each of the three looks, hasty: whether it sees that something is wrong. */
export const notices = {
  matrix: async ({ alterOne, ...fault }: Fault) => {
    const altered = alterOne === undefined ? {} : { alter: alterOne };
    return (await tryMatrix({ ...fault, ...altered, wrongMax: 1, every: 3 })).wrong.length > 0;
  },
  worlds: async (fault: Fault) => (await tryWorlds({ ...fault, worlds: 40, seed: 7, hasty: true })).wrong > 0,
  pairs: async ({ alterAll, ...fault }: Fault) => {
    const altered = alterAll === undefined ? {} : { alter: alterAll };
    return (await tryPairs({ ...fault, ...altered, pairs: 20, seed: 7, hasty: true })).wrong > 0;
  },
  revocation: async (fault: Fault) => !(await endsWithItsToken(fault)),
} as const;

interface Mutant extends Fault {
  readonly by: keyof typeof notices;
}

const provider: Scope = { kind: "provider" };

/** A store whose reader answers some questions otherwise. */
function reading(change: (reader: EventReader) => Partial<EventReader>): (store: Store) => Store {
  return (store) => {
    const { reader } = store;
    return { ...bound(store), reader: { ...bound(reader), ...change(reader) } };
  };
}

/** A store whose incidents answer some questions otherwise. */
function telling(change: (incidents: IncidentStore) => Partial<IncidentStore>): (store: Store) => Store {
  return (store) => {
    const { incidents } = store;
    return { ...bound(store), incidents: { ...bound(incidents), ...change(incidents) } };
  };
}

/** The same with every method, wherever it stands. */
function bound<Part extends object>(part: Part): Part {
  const methods: Record<string, unknown> = {};
  for (
    let owner: object | null = part;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (name in methods || name === "constructor") continue;
      const value: unknown = Reflect.get(part, name);
      methods[name] = typeof value === "function" ? (value.bind(part) as unknown) : value;
    }
  }
  return methods as Part;
}

/** The tenant's scope with more in it than it was given. */
function widened(scope: Scope): Scope {
  if (scope.kind === "provider") return provider;
  return { ...scope, sensitiveKeys: scope.keys };
}

function unnamed(page: EventPage, change: (visible: VisibleEvent) => VisibleEvent): EventPage {
  return { ...page, events: page.events.map(change) };
}

/** A notice with the host's name in it, as one that is made without care. */
function namingHost(visible: VisibleEvent): VisibleEvent {
  if (visible.audience !== "tenant" || !visible.event.notice) return visible;
  return {
    ...visible,
    event: { ...visible.event, summary: `${visible.event.summary} on whole-shared-host` },
  };
}

export const mutants: Readonly<Record<string, Mutant>> = {
  "the route of one event forgets the scope": {
    by: "matrix",
    wrap: reading((reader) => ({ event: (_scope, id) => reader.event(provider, id) })),
  },
  "the list forgets the scope": {
    by: "matrix",
    wrap: reading((reader) => ({
      timeline: (_scope, filter, page) => reader.timeline(provider, filter, page),
    })),
  },
  "the histogram counts over all": {
    by: "matrix",
    wrap: reading((reader) => ({
      histogram: (_scope, filter, bins) => reader.histogram(provider, filter, bins),
    })),
  },
  "the histogram's window fits what all did": {
    by: "pairs",
    wrap: reading((reader) => ({ extent: () => reader.extent(provider) })),
  },
  "every reader is taken for an administrator": {
    by: "matrix",
    wrap: reading((reader) => ({ event: (scope, id) => reader.event(widened(scope), id) })),
  },
  "what is withheld is searched": {
    by: "worlds",
    wrap: reading((reader) => ({
      timeline: (scope, filter, page) => reader.timeline(widened(scope), filter, page),
    })),
  },
  "the live stream tells everybody everything": {
    by: "worlds",
    wrap: reading((reader) => ({
      feed: (_scope, after, limit) => reader.feed(provider, after, limit),
    })),
  },
  "a stream goes on after what another has": {
    by: "matrix",
    wrap: reading((reader) => ({ standsInFeed: (_scope, id) => reader.standsInFeed(provider, id) })),
  },
  "a tenant is told what all were told of incidents": {
    by: "matrix",
    wrap: telling((incidents) => ({ editions: (_scope, limit) => incidents.editions(provider, limit) })),
  },
  "what another was told of an incident is found by its id": {
    by: "matrix",
    wrap: telling((incidents) => ({ edition: (_scope, id) => incidents.edition(provider, id) })),
  },
  "the members of a storm are all of them": {
    by: "worlds",
    wrap: reading((reader) => ({
      members: (_scope, id, page) => reader.members(provider, id, page),
      event: (_scope, id) => reader.event(provider, id),
    })),
  },
  "usual rates are those of all": {
    by: "pairs",
    wrap: (store) => {
      const { correlation } = store;
      const near: CorrelationReader["near"] = async (scope, question) => {
        const [own, all] = await Promise.all([
          correlation.near(scope, question),
          correlation.near(provider, question),
        ]);
        return { ...own, usual: all.usual };
      };
      return { ...bound(store), correlation: { ...bound(correlation), near } };
    },
  },
  "coverage tells of every connection": {
    by: "pairs",
    wrap: reading((reader) => ({ coverage: () => reader.coverage(provider) })),
  },
  "a notice names the host": {
    by: "matrix",
    wrap: reading((reader) => ({
      timeline: async (scope, filter, page) =>
        unnamed(await reader.timeline(scope, filter, page), namingHost),
    })),
  },
  "what else changed is looked for as the provider": {
    by: "matrix",
    wrap: (store) => {
      widest = store;
      return store;
    },
    parts: {
      whatElse: async (_scope, question) => {
        const { reader, correlation } = widest!;
        return findWhatElse({ reader, correlation, buildView: buildTopologyView }, provider, question);
      },
    },
  },
  "the blast radius is walked as the provider": {
    by: "matrix",
    wrap: (store) => {
      widest = store;
      return store;
    },
    parts: {
      blast: (_scope, query) => {
        const { reader, topology } = widest!;
        return findBlast({ reader, topology, buildView: buildTopologyView }, provider, query);
      },
    },
  },
  "a selection is compared with what all have": {
    by: "matrix",
    wrap: reading((reader) => ({
      attributeCounts: (_scope, question) => reader.attributeCounts(provider, question),
    })),
  },
  "what is forbidden is answered 403": {
    by: "matrix",
    alterOne: (answer, { event }) =>
      answer.status === 404 && event !== undefined ? { ...answer, status: 403 } : answer,
  },
  "what is forbidden is answered at greater length": {
    by: "matrix",
    alterOne: (answer, { event }) =>
      answer.status === 404 && event !== undefined ? { ...answer, body: `${answer.body} ` } : answer,
  },
  "a cursor is good for everybody": {
    by: "matrix",
    alterOne: (answer, _thing, { path }) =>
      answer.status === 400 && path.includes("cursor=")
        ? { ...answer, status: 200, body: '{"events":[],"next_cursor":null}' }
        : answer,
  },
  "a header counts all that there is": {
    by: "pairs",
    alterAll: (answer, { steps }) => {
      const total = steps.flatMap((step) => (step.does === "page" ? step.events : [])).length;
      return { ...answer, headers: { ...answer.headers, "x-total-count": total } };
    },
  },
  "all principals share one limit": {
    by: "pairs",
    wrap: (store) => {
      const find: TokenStore["find"] = async (hash) => {
        const token = await store.tokens.find(hash);
        return token === undefined ? undefined : { ...token, id: "tok_of_everybody" };
      };
      return { ...bound(store), tokens: { ...bound(store.tokens), find } };
    },
  },
  "an open stream is never looked at again": {
    by: "revocation",
    parts: { limits: { liveRecheckMs: 1e9, liveHeartbeatMs: 15 } },
  },
};

/** The store of the world that is being tried. */
let widest: Store | undefined;

/** Whether a stream ends soon after the token that it was opened with was revoked. */
async function endsWithItsToken({ parts, wrap }: Fault): Promise<boolean> {
  const quick = { limits: { liveRecheckMs: 30, liveHeartbeatMs: 15 } };
  const world = await openMatrixWorld({ ...quick, ...parts }, wrap);
  try {
    const { tokens } = world.store;
    const scope = { kind: "project", controlPlane: plane, projectId: "p-a1" } as const;
    const { id } = await tokens.create({
      name: "for a while",
      hash: hashOf(tokenText("for a while")),
      scope,
    });
    const url = `http://127.0.0.1:${world.port}/api/v1/live`;
    const signal = AbortSignal.timeout(3_000);
    const answer = await fetch(url, { headers: bearer("for a while"), signal });
    let revoked: Promise<boolean> | undefined;
    for await (const _chunk of answer.body!) revoked ??= tokens.revoke(id);
    return revoked !== undefined;
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") return false;
    throw error;
  } finally {
    await world.close();
  }
}
