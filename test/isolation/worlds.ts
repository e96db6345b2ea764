import fc from "fast-check";
import type { ApiParts } from "../../src/present/api/api-parts.ts";
import type { EventJson, HistogramJson, ResourceJson } from "../../src/present/api/contract.ts";
import type { WhatElseJson } from "../../src/present/api/what-else-contract.ts";
import type { Store } from "../../src/store/store.ts";
import { visible } from "./oracle.ts";
import type { Report, Size } from "./report.ts";
import { spellView, type TrueEvent } from "./true-event.ts";
import { follow } from "./world-live.ts";
import { buildWorld, queriesPerWorld, worldArbitrary } from "./world-model.ts";
import type { Asker, QueryPlan, World } from "./world-model.ts";
import { WorldStore } from "./world-store.ts";
import { names, passes, seenBy, type Filter, type SeenEvent } from "./world-views.ts";

/** Random worlds: whatever is asked, each answer holds what the asker may see, and all of it that fits. */
export async function run(report: Report, size: Size): Promise<void> {
  const outcome = await tryWorlds({ worlds: size === "full" ? 2_000 : 50, seed: Date.now() % 1_000_000 });
  const { worlds, queries, wrong, says } = outcome;
  report.count("queries in random worlds", queries, wrong, says);
  report.count("worlds followed live", worlds, 0);
}

export interface WorldsOutcome {
  readonly worlds: number;
  readonly queries: number;
  readonly wrong: number;
  readonly says?: string;
}

export interface WorldsOptions {
  readonly worlds: number;
  readonly seed: number;
  readonly parts?: Partial<ApiParts>;
  readonly wrap?: (store: Store) => Store;
  /** Ends at the first fault as it is, without looking for a smaller one. */
  readonly hasty?: true;
}

/** One store is told of so many worlds; more would only make it slower. */
const worldsPerStore = 50;

export async function tryWorlds(options: WorldsOptions): Promise<WorldsOutcome> {
  let open: WorldStore | undefined;
  let number = 0;
  let queries = 0;
  const property = fc.asyncProperty(worldArbitrary, async (plan) => {
    if (open === undefined || number % worldsPerStore === 0) {
      await open?.close();
      open = await WorldStore.open(options.parts, options.wrap);
    }
    number += 1;
    const world = buildWorld(plan, number);
    const faults = await tryWorld(open, world, plan.queries);
    queries += queriesPerWorld;
    if (faults.length > 0) throw new Error(faults.slice(0, 5).join("\n"));
  });
  try {
    const result = await fc.check(property, {
      numRuns: options.worlds,
      seed: options.seed,
      ...(options.hasty ? { endOnFailure: true } : {}),
    });
    const worlds = result.numRuns;
    if (!result.failed) return { worlds, queries, wrong: 0, says: `seed ${options.seed}` };
    const error = result.errorInstance instanceof Error ? result.errorInstance.stack : "";
    const path = result.counterexamplePath ?? "";
    return { worlds, queries, wrong: 1, says: `seed ${options.seed}, path ${path}: ${error}` };
  } finally {
    await open?.close();
  }
}

/** Says what is wrong of a world, nothing where all is well. */
async function tryWorld(
  store: WorldStore,
  world: World,
  queries: readonly QueryPlan[],
): Promise<readonly string[]> {
  await store.prepare(world);
  const follower = world.askers[world.number % world.askers.length]!;
  const stormy = world.storms.flatMap(({ members }) => members);
  const faults = await follow(store, world, follower, [...world.events, ...stormy]);
  const ids = await learnIds(store, world, faults);
  for (const query of queries) {
    const asker = world.askers[query.by % world.askers.length]!;
    const fault = await askOne(store, world, { asker, query, ids });
    if (fault !== undefined) faults.push(`${asker.name}, ${JSON.stringify(query)}: ${fault}`);
  }
  return faults;
}

/** An id under which something was shown, and to whom. */
interface ShownId {
  readonly id: string;
  readonly event: TrueEvent;
  readonly isNotice: boolean;
  readonly says: string;
}

/** Everybody lists all that there is: the ids that anybody could ever come by, and the first thing to be complete. */
async function learnIds(store: WorldStore, world: World, faults: string[]): Promise<readonly ShownId[]> {
  const ids = new Map<string, ShownId>();
  for (const asker of world.askers) {
    const listed = await store.list(world, asker, `/events?limit=500&${windowOf(world.from, world.to)}`);
    const calm = listed.filter((shown) => !isFold(shown));
    const expected = [...world.events, ...world.sentinels].flatMap((event) => seenBy(asker.who, event));
    const fault = compare(
      calm.map((shown) => store.spell(shown)),
      expected,
    );
    if (fault !== undefined) faults.push(`${asker.name}, all there is: ${fault}`);
    faults.push(...(await unfold(store, world, asker, listed.filter(isFold))));
    for (const shown of calm) {
      const event = store.eventAt(shown.occurred_at);
      if (event === undefined) continue;
      const says = store.spell(shown);
      ids.set(shown.id, { id: shown.id, event, isNotice: says.startsWith("notice"), says });
    }
  }
  return [...ids.values()];
}

function isFold({ details }: EventJson): boolean {
  return details["storm"] !== undefined;
}

/** Whoever sees a storm sees all of its members that are theirs, and no others see it. */
async function unfold(
  store: WorldStore,
  world: World,
  asker: Asker,
  folds: readonly EventJson[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const storm of world.storms) {
    const isOf = ({ occurred_at: at }: EventJson): boolean =>
      Date.parse(at) >= storm.from && Date.parse(at) < storm.to;
    const seen = folds.filter(isOf);
    const expected = storm.members.flatMap((event) => seenBy(asker.who, event));
    const members: string[] = [];
    for (const { id } of seen) {
      const listed = await store.list(world, asker, `/events/${id}/members?limit=2`);
      members.push(...listed.map((shown) => store.spell(shown)));
    }
    const fault = compare(members, expected);
    if (fault !== undefined) faults.push(`${asker.name}, members of a storm: ${fault}`);
  }
  return faults;
}

/** What is shown against what has to be, in whatever order. */
function compare(shown: readonly string[], expected: readonly SeenEvent[]): string | undefined {
  const [is, must] = [shown.toSorted(), expected.map(({ says }) => says).toSorted()];
  if (is.join() === must.join()) return undefined;
  const beyond = is.filter((one) => !must.includes(one));
  const lacking = must.filter((one) => !is.includes(one));
  return `beyond it [${beyond.join(", ")}], lacking [${lacking.join(", ")}], of ${must.length}`;
}

interface Question {
  readonly asker: Asker;
  readonly query: QueryPlan;
  readonly ids: readonly ShownId[];
}

async function askOne(store: WorldStore, world: World, question: Question): Promise<string | undefined> {
  switch (question.query.route) {
    case "list":
      return askList(store, world, question);
    case "histogram":
      return askHistogram(store, world, question);
    case "what-else":
      return askWhatElse(store, world, question);
    case "resource":
      return askResource(store, world, question);
    default:
      return askById(store, world, question);
  }
}

function windowOf(from: number, to: number): string {
  return `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
}

/** Between two of the world's events, before its storms. */
function filterOf(world: World, { from, to, ...plan }: QueryPlan): Filter {
  const at = (index: number | undefined, otherwise: number): number =>
    index === undefined ? otherwise : (world.events[index % world.events.length]?.at ?? otherwise);
  const start = at(from, world.from);
  const end = at(to, world.calmTo);
  return { from: Math.min(start, end), to: Math.max(start, end) + (start === end ? 1 : 0), plan };
}

function spellQuery({ from, to, plan }: Filter): string {
  const named = ["kind", "severity", "type", "q", "resource", "project", "tenant"] as const;
  const asked = named.flatMap((name) =>
    plan[name] === undefined ? [] : [`${name}=${encodeURIComponent(plan[name])}`],
  );
  return [windowOf(from, to), ...asked].join("&");
}

function seenIn(world: World, asker: Asker, filter: Filter): readonly SeenEvent[] {
  return world.events.flatMap((event) => seenBy(asker.who, event)).filter((seen) => passes(seen, filter));
}

async function askList(
  store: WorldStore,
  world: World,
  { asker, query }: Question,
): Promise<string | undefined> {
  const filter = filterOf(world, query);
  const { limit, order } = query;
  const listed = await store.list(
    world,
    asker,
    `/events?limit=${limit}&order=${order}&${spellQuery(filter)}`,
  );
  const times = listed.map(({ occurred_at: at }) => at);
  const sorted = order === "oldest" ? times.toSorted() : times.toSorted().toReversed();
  if (times.join() !== sorted.join()) return "the pages are out of order";
  return compare(
    listed.map((shown) => store.spell(shown)),
    seenIn(world, asker, filter),
  );
}

async function askHistogram(
  store: WorldStore,
  world: World,
  { asker, query }: Question,
): Promise<string | undefined> {
  const filter = filterOf(world, query);
  const answer = await store.get(world, asker, `/histogram?bins=${query.limit}&${spellQuery(filter)}`);
  const { bins, total }: HistogramJson = answer.json();
  const expected = seenIn(world, asker, filter);
  if (total !== expected.length) return `a total of ${total} instead of ${expected.length}`;
  for (const kind of ["change", "symptom", "recovery", "human"] as const) {
    const counted = bins.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0);
    const must = expected.filter(({ told }) => told.kind === kind).length;
    if (counted !== must) return `${counted} of kind ${kind} instead of ${must}`;
  }
  return undefined;
}

/** Whether the very id is there for the asker. */
function reaches(asker: Asker, { event, says }: ShownId): boolean {
  const views = visible(asker.who, event);
  return views.some((view) => {
    const own = spellView(event.name, view);
    // An owner's edition has the id of the record itself.
    return own === says || (!own.startsWith("notice") && !says.startsWith("notice"));
  });
}

async function askWhatElse(
  store: WorldStore,
  world: World,
  { asker, query, ids }: Question,
): Promise<string | undefined> {
  const asked = ids[query.thing % Math.max(1, ids.length)];
  if (asked === undefined) return undefined;
  const answer = await store.get(world, asker, `/what-else?limit=50&window_minutes=60&event=${asked.id}`);
  if (!reaches(asker, asked)) return answer.statusCode === 404 ? undefined : `${asked.says} is answered`;
  if (answer.statusCode !== 200) return `${answer.statusCode} for ${asked.says}`;
  const { target, candidates, checked, window }: WhatElseJson = answer.json();
  const shown = [
    ...candidates.map(({ event }) => event),
    ...(target.event === undefined ? [] : [target.event]),
  ];
  const hidden = shown.find((event) => !isFold(event) && !store.maySee(asker, event));
  if (hidden !== undefined) return `shows ${store.spell(hidden)}`;
  if (asked.event.at >= world.calmTo) return undefined;
  // What was looked at is counted, and must not count what is not there for the asker.
  const within = { from: Date.parse(window.from), to: asked.event.at + 1, plan: {} };
  if (within.from < world.from && asker.who.kind === "provider") return undefined;
  const counted = seenIn(world, asker, within).length;
  return checked.events === counted ? undefined : `looked at ${checked.events} instead of ${counted}`;
}

async function askResource(
  store: WorldStore,
  world: World,
  { asker, query }: Question,
): Promise<string | undefined> {
  const resource = query.resource ?? "server/srv-0";
  const answer = await store.get(world, asker, `/resources/${resource}`);
  if (asker.who.kind === "provider") {
    if (answer.statusCode !== 200) return undefined;
    const hidden = answer.json<ResourceJson>().events.find((shown) => !store.maySee(asker, shown));
    return hidden === undefined ? undefined : `shows ${store.spell(hidden)}`;
  }
  const expected = world.events
    .flatMap((event) => seenBy(asker.who, event))
    .filter(({ told }) => names(told, resource));
  if (expected.length === 0) return answer.statusCode === 404 ? undefined : `${resource} is answered`;
  if (answer.statusCode !== 200) return `${answer.statusCode} for ${resource}`;
  return compare(
    answer.json<ResourceJson>().events.map((shown) => store.spell(shown)),
    expected,
  );
}

async function askById(
  store: WorldStore,
  world: World,
  { asker, query, ids }: Question,
): Promise<string | undefined> {
  const asked = ids[query.thing % Math.max(1, ids.length)];
  if (asked === undefined) return undefined;
  const path = query.route === "event" ? "" : `/${query.route}`;
  const answer = await store.get(world, asker, `/events/${asked.id}${path}`);
  if (!reaches(asker, asked)) return answer.statusCode === 404 ? undefined : `${asked.says} is answered`;
  if (answer.statusCode !== 200) return `${answer.statusCode} for ${asked.says}`;
  if (query.route !== "event") return undefined;
  const shown = answer.json<EventJson>();
  return store.maySee(asker, shown) ? undefined : `shows ${store.spell(shown)}`;
}
