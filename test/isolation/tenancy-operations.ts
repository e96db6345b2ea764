import { allSeen, get, ownerOf, type Expected, type Operation } from "./matrix-operation.ts";
import { plane, postedConnection, type Thing } from "./matrix-world.ts";
import { reaches, type Who } from "./oracle.ts";

/** Who somebody is, as whom they look, and what they administer for themselves. */
export const tenancyOperations: readonly Operation[] = [
  ...["/tenants", "/tenants/tree", "/session"].map((path): Operation => ({
    name: `GET ${path}`,
    need: "reading",
    ask: get(() => path),
    expect: () => ({ status: 200, shows: [] }),
  })),
  {
    name: "POST /session",
    need: "nothing",
    ask: (_thing, { token = "none at all" }) => ({
      method: "POST",
      path: "/session",
      body: { token },
      asStranger: true,
    }),
    expect: (who) => (who.kind === "nobody" || who.kind === "poster" ? { status: 401 } : { status: 200 }),
  },
  {
    name: "POST /session/as",
    need: "look-as-tenant",
    ask: (thing) => ({
      method: "POST",
      path: "/session/as",
      body: { control_plane: plane, project_id: ownerOf(thing)?.project ?? "p-nobody" },
      asBrowser: true,
    }),
    expect: (_who, thing) => ({ status: ownerOf(thing) === undefined ? 404 : 200, shows: [] }),
  },
  {
    name: "DELETE /session/as",
    need: "look-as-tenant",
    ask: () => ({ method: "DELETE", path: "/session/as", asBrowser: true }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /session/break-glass",
    need: "break-glass",
    ask: (thing) => ({
      method: "POST",
      path: "/session/break-glass",
      body: { why: `a test of ${thing.name}` },
      asBrowser: true,
    }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "DELETE /session/break-glass",
    need: "break-glass",
    ask: () => ({ method: "DELETE", path: "/session/break-glass", asBrowser: true }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "DELETE /session",
    need: "browser",
    ask: () => ({ method: "DELETE", path: "/session", asBrowser: true }),
    expect: () => ({ status: 204 }),
  },
  {
    name: "GET /health",
    need: "nothing",
    ask: get(() => "/health"),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /ingest/{connection}",
    need: "posting",
    connection: (thing) => connectionFor(thing),
    ask: (thing) => ({ method: "POST", path: `/ingest/${connectionFor(thing)}`, body: { id: thing.id } }),
    expect: (_who, thing) => ({ status: connectionFor(thing) === postedConnection ? 200 : 404 }),
  },
  {
    name: "GET /session/providers",
    need: "nothing",
    ask: get(() => "/session/providers"),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    // None is configured here that takes passwords, so that it is an address that is not there.
    name: "POST /session/keystone",
    need: "nothing",
    ask: ({ name }) => ({
      method: "POST",
      path: "/session/keystone",
      body: { provider: "nowhere", token: name },
      asStranger: true,
    }),
    expect: () => ({ status: 404 }),
  },
  ...["/session/oidc/{name}", "/session/oidc/{name}/callback"].map((path): Operation => ({
    name: `GET ${path}`,
    need: "nothing",
    ask: get(() => path.replace("{name}", "nowhere")),
    expect: () => ({ status: 404 }),
  })),
  {
    name: "GET /tokens",
    need: "tokens",
    ask: get(() => "/tokens"),
    expect: ({ kind }) =>
      kind === "provider"
        ? { status: 200 }
        : { status: 200, lacks: ["B reader", "provider ", "key for posting"] },
  },
  {
    name: "POST /tokens",
    need: "tokens",
    ask: (thing) => ({
      method: "POST",
      path: "/tokens",
      body: {
        name: "made by a test",
        scope: "project",
        control_plane: plane,
        project_id: ownerOf(thing)?.project ?? "p-nobody",
      },
    }),
    expect: (who, thing) => ({ status: mayMakeFor(who, thing) ? 201 : 404 }),
  },
  {
    name: "DELETE /tokens/{id}",
    need: "tokens",
    ask: () => ({ method: "DELETE", path: "/tokens/tok_00000000000000000000" }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "GET /export",
    need: "own export",
    ask: get(() => "/export"),
    expect: (who, _thing, world): Expected => ({ status: 200, shows: allSeen(who, world) }),
  },
];

/** A project's token opens all that is the project's: only who has the project itself makes one. */
function mayMakeFor(who: Who, thing: Thing): boolean {
  const owner = ownerOf(thing);
  if (who.kind !== "tenant") return who.kind === "provider";
  return owner !== undefined && who.holdings.some((one) => one.on === "project" && reaches(one, owner));
}

/** Own things are posted to the connection whose key is tried, others to another, and nothing to none. */
function connectionFor({ event, malformed }: Thing): string {
  if (event === undefined) return malformed ? "no%20name" : "nowhere";
  return event.whose.is === "owned" && event.whose.by.domain === "d-a" ? postedConnection : "hook-b";
}
