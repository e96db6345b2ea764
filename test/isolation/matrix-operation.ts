import { admits, visible, type Need, type Owner, type View, type Who } from "./oracle.ts";
import { a1, worldEnd, type MatrixWorld, type Thing } from "./matrix-world.ts";
import { spellView, type TrueEvent } from "./true-event.ts";

/** A request that an operation is tried with. */
export interface Ask {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Without the API's prefix. */
  readonly path: string;
  /** The path is the whole one. */
  readonly isWhole?: true;
  readonly body?: object;
  /** Asked with a new session's cookie, as a page does, where the principal can have one. */
  readonly asBrowser?: true;
  /** Asked without credentials but those in the body. */
  readonly asStranger?: true;
}

/** What has to be answered; 401 and 404 are always the one answer of their kind, to the byte. */
export interface Expected {
  /** `admitted`: whatever it is answered, neither of those two. `refused`: one of those two, or the query's problems. */
  readonly status: number | "admitted" | "refused";
  /** What the answer shows of events, each as often as it says. */
  readonly shows?: readonly string[];
  /** What it may show at most. */
  readonly among?: readonly string[];
  /** Words that it must hold. */
  readonly holds?: readonly string[];
  /** Words that it must not hold. */
  readonly lacks?: readonly string[];
  /** All of the body. */
  readonly body?: string;
  /** The sum that a histogram tells. */
  readonly total?: number;
}

export interface Operation {
  /** As the API's own document names it; in parentheses where it does not. */
  readonly name: string;
  readonly variant?: string;
  readonly need: Need;
  /** For `posting`: to which connection. */
  readonly connection?: (thing: Thing) => string;
  readonly ask: (thing: Thing, who: PrincipalLike, world: MatrixWorld) => Ask;
  /** For those who are admitted. */
  readonly expect: (who: Who, thing: Thing, world: MatrixWorld) => Expected;
}

interface PrincipalLike {
  readonly token?: string;
}

/** What has to come of it. */
export function expectationOf(operation: Operation, who: Who, thing: Thing, world: MatrixWorld): Expected {
  const admission = admits(who, operation.need, operation.connection?.(thing));
  // What cannot be understood is refused by its looks, whether a key for posting may read or not.
  if (who.kind === "poster" && thing.malformed && operation.need === "reading") return { status: "refused" };
  if (admission === "stranger") return { status: 401 };
  if (admission === "absent") return { status: 404 };
  return operation.expect(who, thing, world);
}

/** As what somebody reaches an event under the very id. */
export function reached(who: Who, { event, idOf }: Thing): readonly View[] {
  if (event === undefined) return [];
  const views = visible(who, event);
  return idOf === "event"
    ? views.filter(({ as }) => as !== "notice")
    : views.filter((view) => view.as === "notice" && view.of === idOf);
}

export function spell(event: TrueEvent | undefined, views: readonly View[]): string[] {
  return event === undefined ? [] : views.map((view) => spellView(event.name, view));
}

/** All that somebody sees, of those events and views that pass. */
export function allSeen(
  who: Who,
  { events }: MatrixWorld,
  passes: (event: TrueEvent, view: View) => boolean = () => true,
): string[] {
  return events.flatMap((event) =>
    spell(
      event,
      visible(who, event).filter((view) => passes(event, view)),
    ),
  );
}

/** Views that name the thing's subject: the record its own, a notice the resources of whom it is told to. */
export function naming(who: Who, thing: Thing, world: MatrixWorld): string[] {
  return allSeen(who, world, (event, view) => {
    if (view.as !== "notice") return event.subject.id === thing.subject.id;
    return event === thing.event && view.of === thing.idOf;
  });
}

export function windowOf({ event }: Thing): string {
  const at = event?.at ?? worldEnd - 1;
  return `from=${new Date(at).toISOString()}&to=${new Date(at + 1).toISOString()}`;
}

export function ownerOf({ event, idOf }: Thing): Owner | undefined {
  if (idOf !== undefined && idOf !== "event") return idOf;
  if (event?.whose.is === "owned") return event.whose.by;
  return event?.whose.is === "shared" ? a1 : undefined;
}

export const get =
  (path: (thing: Thing) => string) =>
  (thing: Thing): Ask => ({ method: "GET", path: path(thing) });
export const found = (views: readonly View[], answer: Expected): Expected =>
  views.length === 0 ? { status: 404 } : answer;
export const badQuery: Expected = { status: 400 };
export const resourceOf = ({ subject }: Thing): string => `${subject.kind}/${subject.id}`;
