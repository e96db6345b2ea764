import {
  allSeen,
  badQuery,
  found,
  get,
  naming,
  ownerOf,
  reached,
  resourceOf,
  spell,
  windowOf,
  type Operation,
} from "./matrix-operation.ts";
import { visible, type View } from "./oracle.ts";
import type { TrueEvent } from "./true-event.ts";

/** What everybody reads, each their own. */
export const readingOperations: readonly Operation[] = [
  {
    name: "GET /events/{id}",
    need: "reading",
    ask: get(({ id }) => `/events/${id}`),
    expect: (who, thing) => {
      const views = reached(who, thing);
      return found(views, { status: 200, shows: spell(thing.event, views) });
    },
  },
  {
    name: "GET /events/{id}/members",
    need: "reading",
    ask: get(({ id }) => `/events/${id}/members`),
    expect: (who, thing) => found(reached(who, thing), { status: 200, shows: [] }),
  },
  {
    name: "GET /events/{id}/ownership",
    need: "reading",
    ask: get(({ id }) => `/events/${id}/ownership`),
    expect: (who, thing) => found(reached(who, thing), { status: 200, shows: [] }),
  },
  {
    name: "GET /events/{id}/editions",
    need: "workbench",
    ask: get(({ id }) => `/events/${id}/editions`),
    expect: (who, thing) => found(reached(who, thing), { status: 200 }),
  },
  {
    name: "GET /events",
    variant: "of its moment",
    need: "reading",
    ask: get((thing) => (thing.malformed ? "/events?from=sometime" : `/events?${windowOf(thing)}`)),
    expect: (who, thing, world) =>
      thing.malformed
        ? badQuery
        : { status: 200, shows: allSeen(who, world, (event) => event === thing.event) },
  },
  {
    name: "GET /events",
    variant: "by a word of its edition",
    need: "reading",
    ask: get(({ event, name }) => `/events?q=shown-${event?.name ?? name}-name`),
    expect: (who, thing, world) => ({
      status: 200,
      shows: allSeen(who, world, (event) => event === thing.event && event.whose.is !== "shared"),
    }),
  },
  {
    name: "GET /events",
    variant: "by a word of the record",
    need: "reading",
    ask: get(({ event, name }) => `/events?q=WHOLE-${event?.name ?? name}-summary`),
    expect: (who, thing, world) => ({
      status: 200,
      shows: allSeen(who, world, (event, { as }) => event === thing.event && as === "whole"),
    }),
  },
  {
    name: "GET /events",
    variant: "of its subject",
    need: "reading",
    ask: get((thing) => `/events?order=oldest&resource=${resourceOf(thing)}`),
    expect: (who, thing, world) =>
      thing.malformed ? badQuery : { status: 200, shows: naming(who, thing, world) },
  },
  {
    name: "GET /events",
    variant: "of its owner",
    need: "reading",
    ask: get((thing) => `/events?project=${ownerOf(thing)?.project ?? "p-nobody"}`),
    expect: (who, thing, world) => {
      const project = ownerOf(thing)?.project;
      const isOf = ({ whose }: TrueEvent, view: View): boolean => {
        if (project === undefined) return false;
        if (view.as !== "whole") return view.of.project === project;
        if (whose.is === "shared") return whose.among.some((owner) => owner.project === project);
        return whose.is === "owned" && whose.by.project === project;
      };
      return { status: 200, shows: allSeen(who, world, isOf) };
    },
  },
  {
    name: "GET /events",
    variant: "by a parameter that is the provider's",
    need: "reading",
    ask: get(({ event }) => `/events?attribution=${event?.storable.attribution.status ?? "owned"}&limit=1`),
    expect: (who, _thing, world) =>
      who.kind === "tenant" ? badQuery : { status: 200, among: allSeen(who, world) },
  },
  {
    name: "GET /events",
    variant: "with a cursor of the provider's",
    need: "reading",
    ask: (_thing, _who, { cursor }) => ({
      method: "GET",
      path: `/events?limit=1&cursor=${encodeURIComponent(cursor)}`,
    }),
    expect: (who, _thing, world) =>
      who.kind === "provider" ? { status: 200, among: allSeen(who, world) } : badQuery,
  },
  {
    name: "GET /histogram",
    need: "reading",
    ask: get((thing) => (thing.malformed ? "/histogram?to=sometime" : `/histogram?${windowOf(thing)}`)),
    expect: (who, thing) => {
      if (thing.malformed) return badQuery;
      const total = thing.event === undefined ? 0 : visible(who, thing.event).length;
      return { status: 200, total };
    },
  },
  {
    name: "GET /what-else",
    variant: "before it",
    need: "reading",
    ask: get(({ id }) => `/what-else?limit=50&event=${id}`),
    expect: (who, thing, world) => found(reached(who, thing), { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /what-else",
    variant: "of it among several",
    need: "reading",
    // One that nobody knows makes the whole question one, whoever may see the other.
    ask: get(({ id }) => `/what-else?limit=50&event=${id}&event=evt_${"a".repeat(26)}`),
    expect: () => ({ status: 404 }),
  },
  {
    name: "GET /what-else",
    variant: "of it twice",
    need: "reading",
    ask: get(({ id }) => `/what-else?limit=50&event=${id}&event=${id}`),
    expect: (who, thing, world) => found(reached(who, thing), { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /what-else",
    variant: "before a moment",
    need: "reading",
    ask: get((thing) =>
      thing.malformed ? "/what-else?at=sometime" : "/what-else?limit=50&at=2026-11-20T11:59:00Z",
    ),
    expect: (who, thing, world) => (thing.malformed ? badQuery : { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /what-else",
    variant: "around its subject",
    need: "reading",
    ask: get((thing) => `/what-else?at=2026-11-20T11:59:00Z&resource=${resourceOf(thing)}`),
    expect: (who, thing, world) => (thing.malformed ? badQuery : { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /blast",
    variant: "of its failure",
    need: "reading",
    ask: get(({ id }) => `/blast?window_minutes=1440&event=${id}`),
    expect: (who, thing, world) => found(reached(who, thing), { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /blast",
    variant: "of its subject's failure",
    need: "reading",
    ask: get((thing) => `/blast?at=2026-11-20T11:59:00Z&resource=${resourceOf(thing)}`),
    expect: (who, thing, world) => {
      if (thing.malformed) return badQuery;
      const among = allSeen(who, world);
      // Who stands where is the provider's to know, whatever happened there.
      if (who.kind === "provider" && thing.event !== undefined) return { status: 200, among };
      return naming(who, thing, world).length === 0 ? { status: 404 } : { status: 200, among };
    },
  },
  {
    name: "GET /compare",
    variant: "its moment with all else",
    need: "reading",
    ask: get((thing) =>
      thing.malformed
        ? "/compare?from=sometime&to=2026-11-20T12:00:00Z"
        : `/compare?${windowOf(thing)}&baseline_from=2026-11-20T00:00:00Z&baseline_to=2026-11-21T00:00:00Z&rate=.5`,
    ),
    expect: (who, thing, world) => {
      if (thing.malformed) return badQuery;
      const inside = thing.event === undefined ? 0 : visible(who, thing.event).length;
      const outside = allSeen(who, world).length - inside;
      return {
        status: 200,
        holds: [`"baseline":{"kind":"given"`, `"events":${inside}}`, `"events":${outside}}`],
      };
    },
  },
  {
    name: "GET /compare",
    variant: "by a parameter that is the provider's",
    need: "reading",
    ask: get(() => `/compare?from=2026-11-20T10:00:00Z&to=2026-11-20T12:00:00Z&baseline_source=hook-a`),
    expect: (who) => (who.kind === "tenant" ? badQuery : { status: 200, shows: [] }),
  },
  {
    name: "GET /alerts",
    need: "reading",
    ask: get((thing) =>
      thing.malformed ? "/alerts?from=sometime" : "/alerts?from=2026-11-20T00:00:00Z&limit=500",
    ),
    expect: (who, thing, world) => {
      if (thing.malformed) return badQuery;
      const among = allSeen(who, world);
      if (who.kind === "provider") return { status: 200, among };
      // Neither what was planned on hosts nor through which monitor is a tenant's to know.
      return {
        status: 200,
        among,
        holds: ['"windows":[]'],
        lacks: ['"monitor":', '"series":', "planned work"],
      };
    },
  },
  {
    name: "GET /alerts/{id}",
    need: "reading",
    ask: get(({ id }) => `/alerts/${id}`),
    expect: () => ({ status: 404 }),
  },
  {
    name: "GET /resources/{kind}/{id}",
    need: "reading",
    ask: get(({ subject }) => `/resources/${subject.kind}/${subject.id}`),
    expect: (who, thing, world) => {
      const shows = naming(who, thing, world);
      // Who stands where is the provider's to know, whatever happened there.
      if (who.kind === "provider" && thing.event !== undefined) return { status: 200, shows };
      return shows.length === 0 ? { status: 404 } : { status: 200, shows };
    },
  },
  {
    name: "GET /live",
    variant: "resumed after it",
    need: "reading",
    ask: get(({ id }) => `/live?last_event_id=${id}`),
    expect: (who, thing, world) =>
      reached(who, thing).length === 0 ? { status: 400 } : { status: 200, among: allSeen(who, world) },
  },
  {
    name: "GET /live",
    variant: "from now on",
    need: "reading",
    ask: get((thing) => (thing.malformed ? "/live?from=sometime" : `/live?${windowOf(thing)}`)),
    expect: (_who, thing) => (thing.malformed ? badQuery : { status: 200, shows: [] }),
  },
];
