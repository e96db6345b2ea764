import { operationKeyOf } from "../../src/correlate/operation-id.ts";
import { allSeen, badQuery, get, resourceOf, type Operation } from "./matrix-operation.ts";

/** Operations are made of what the reader sees of their steps: nobody is told of another's, by any way of asking. */
export const operationOperations: readonly Operation[] = [
  {
    name: "GET /operations",
    variant: "of a day",
    need: "reading",
    ask: get((thing) =>
      thing.malformed
        ? "/operations?from=sometime"
        : "/operations?from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z",
    ),
    expect: (who, thing, world) => (thing.malformed ? badQuery : { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /operations",
    variant: "of its subject",
    need: "reading",
    ask: get((thing) => `/operations?to=2026-11-21T00:00:00Z&resource=${resourceOf(thing)}`),
    expect: (who, thing, world) => (thing.malformed ? badQuery : { status: 200, among: allSeen(who, world) }),
  },
  {
    name: "GET /operations/{id}",
    need: "reading",
    // Nothing in that world begins or ends: an id of anything is answered as one of nothing.
    ask: get(({ event, name }) => {
      const subject = event?.subject ?? { kind: "server", id: name };
      return `/operations/${operationKeyOf({ subject, plane: "default", requestId: "req-none" })}`;
    }),
    expect: () => ({ status: 404 }),
  },
];
