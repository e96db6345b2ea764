import { get, ownerOf, type Operation } from "./matrix-operation.ts";
import { plane, worldEnd, type Thing } from "./matrix-world.ts";
import { matrixRules, type RuleName as Name } from "./notification-world.ts";
import { reaches, type Who } from "./oracle.ts";

const rules = matrixRules(plane, worldEnd);

/** The rule that is tried with a thing: its owner's, or one of the provider's. */
function nameFor(thing: Thing): Name {
  const owner = ownerOf(thing);
  if (owner?.project === "p-a1") return "a1";
  if (owner?.domain === "d-b") return "b";
  return thing.event?.visibility === "security" ? "admins" : "operators";
}

function sees(who: Who, name: Name): boolean {
  if (who.kind === "provider") return who.role !== "operator" || name === "operators";
  if (who.kind !== "tenant") return false;
  const holds = (on: "project" | "domain", id: string): boolean =>
    who.holdings.some((one) => one.on === on && one.id === id && one.role === "admin");
  return (name === "a1" && holds("project", "p-a1")) || (name === "b" && holds("domain", "d-b"));
}

const unseenBy = (who: Who): string[] =>
  (Object.keys(rules) as Name[]).flatMap((name) =>
    sees(who, name) ? [] : [rules[name].name, rules[name].id, rules[name].target.origin],
  );

const pathOf = (thing: Thing, rest = ""): string => `/notification-rules/${rules[nameFor(thing)].id}${rest}`;
const whereSeen =
  (status: number): Operation["expect"] =>
  (who, thing) =>
    sees(who, nameFor(thing)) ? { status, lacks: unseenBy(who) } : { status: 404 };
const order = { name: "tried", format: "webhook", url: "http://never-asked.example.org/" };

/** Rules that tell others of events. */
export const notificationOperations: readonly Operation[] = [
  {
    name: "GET /notification-rules",
    need: "notifications",
    ask: get(() => "/notification-rules"),
    expect: (who) => ({ status: 200, lacks: unseenBy(who) }),
  },
  {
    name: "GET /notification-rules/{id}",
    need: "notifications",
    ask: get((thing) => pathOf(thing)),
    expect: whereSeen(200),
  },
  {
    name: "GET /notification-rules/{id}/deliveries",
    need: "notifications",
    ask: get((thing) => pathOf(thing, "/deliveries")),
    expect: whereSeen(200),
  },
  {
    // An address in clear is no tenant's, so that none is made; but first it is asked whose it would be.
    name: "POST /notification-rules",
    need: "notifications",
    ask: (thing) => ({
      method: "POST",
      path: "/notification-rules",
      body: {
        ...order,
        owner: { control_plane: plane, project_id: ownerOf(thing)?.project ?? "p-nobody" },
      },
    }),
    expect: (who, thing) => ({ status: mayMakeFor(who, thing) ? 422 : 404 }),
  },
  {
    name: "PUT /notification-rules/{id}",
    need: "notifications",
    ask: (thing) => ({
      method: "PUT",
      path: pathOf(thing),
      body: { name: "tried", format: "webhook", expected_version: 99 },
    }),
    expect: whereSeen(409),
  },
  {
    name: "POST /notification-rules/{id}/test",
    need: "notifications",
    ask: (thing) => ({ method: "POST", path: pathOf(thing, "/test") }),
    expect: whereSeen(200),
  },
  {
    name: "POST /notification-rules/{id}/replay",
    need: "notifications",
    ask: (thing) => ({ method: "POST", path: pathOf(thing, "/replay"), body: {} }),
    expect: whereSeen(200),
  },
];

function mayMakeFor(who: Who, thing: Thing): boolean {
  const owner = ownerOf(thing);
  if (who.kind !== "tenant") return who.kind === "provider";
  const holds = who.holdings.filter((one) => one.on === "project" && one.role === "admin");
  return owner !== undefined && holds.some((one) => reaches(one, owner));
}
