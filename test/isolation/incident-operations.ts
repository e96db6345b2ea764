import { editionOf, incidentTitle as title } from "./matrix-incident.ts";
import { get, type Expected, type Operation } from "./matrix-operation.ts";
import type { MatrixWorld } from "./matrix-world.ts";
import { reaches, type Owner, type Who } from "./oracle.ts";

const isTold = (who: Who, owner: Owner): boolean =>
  who.kind === "tenant" && who.holdings.some((holding) => reaches(holding, owner));

/** All of it to the provider, to a tenant the words of its own editions. */
function listed(who: Who, { incident }: MatrixWorld): Expected {
  const own = incident.told.filter(({ owner }) => isTold(who, owner));
  const others = incident.told.filter(({ owner }) => !isTold(who, owner));
  if (who.kind === "provider") return { status: 200, holds: [title], lacks: ["edition-for-"] };
  return {
    status: 200,
    holds: own.flatMap(({ owner, id }) => [editionOf(owner), id]),
    lacks: ["whole-incident", incident.id, ...others.flatMap(({ owner, id }) => [editionOf(owner), id])],
  };
}

const version = 99;
const entries = (path: string) => ({
  method: "POST" as const,
  path,
  body: { expected_version: version, changes: [{ kind: "note", text: "tried by a test" }] },
});
const reads: readonly (readonly [string, string, Operation["need"]])[] = [
  ["history", "", "workbench"],
  ["redaction", "?audience=public", "workbench"],
  ["export", "?audience=public&format=json", "export"],
  ["export", "?audience=public&format=md", "export"],
  ["export", "?audience=public&format=html", "export"],
];

/** Incidents: the provider's, but for what each tenant was told. */
export const incidentOperations: readonly Operation[] = [
  {
    name: "GET /incidents",
    need: "reading",
    ask: get(() => "/incidents?limit=500"),
    expect: (who, _thing, world) => listed(who, world),
  },
  {
    name: "GET /incidents/{id}",
    need: "reading",
    ask: get(({ id }) => `/incidents/${id}`),
    expect: () => ({ status: 404 }),
  },
  {
    name: "GET /incidents/{id}",
    variant: "by the provider's id",
    need: "reading",
    ask: (_thing, _who, { incident }) => ({ method: "GET", path: `/incidents/${incident.id}` }),
    expect: (who) =>
      who.kind === "provider" ? { status: 200, holds: [title], lacks: ["edition-for-"] } : { status: 404 },
  },
  ...[0, 1].map((place): Operation => ({
    name: "GET /incidents/{id}",
    variant: `by the id of tenant ${place}`,
    need: "reading",
    ask: (_thing, _who, { incident }) => ({ method: "GET", path: `/incidents/${incident.told[place]!.id}` }),
    expect: (who, _thing, { incident }) => {
      const { owner } = incident.told[place]!;
      if (!isTold(who, owner)) return { status: 404 };
      return { status: 200, holds: [editionOf(owner)], lacks: ["whole-incident", incident.id] };
    },
  })),
  ...reads.flatMap(([name, query, need]): readonly Operation[] => [
    {
      name: `GET /incidents/{id}/${name}`,
      variant: `as ${query}`,
      need,
      ask: get(({ id }) => `/incidents/${id}/${name}${query}`),
      expect: () => ({ status: 404 }),
    },
    {
      name: `GET /incidents/{id}/${name}`,
      variant: `of one that there is, as ${query}`,
      need,
      ask: (_thing, _who, { incident }) => ({
        method: "GET",
        path: `/incidents/${incident.id}/${name}${query}`,
      }),
      expect: () => ({ status: 200, lacks: ["edition-for-"] }),
    },
  ]),
  {
    name: "GET /incidents/kpis",
    need: "workbench",
    ask: get(() => "/incidents/kpis?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /incidents",
    need: "decide",
    ask: () => ({ method: "POST", path: "/incidents", body: { title: "tried by a test", rule: "matrix" } }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "POST /incidents/import",
    need: "decide",
    ask: ({ name }) => ({
      method: "POST",
      path: "/incidents/import",
      body: { name: "notes.md", format: "markdown", text: `- 2026-11-20 10:00Z ${name}`, dry_run: true },
    }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /incidents/{id}/entries",
    need: "decide",
    ask: ({ id }) => entries(`/incidents/${id}/entries`),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /incidents/{id}/entries",
    variant: "to one that there is",
    need: "decide",
    ask: (_thing, _who, { incident }) => entries(`/incidents/${incident.id}/entries`),
    expect: () => ({ status: 409 }),
  },
];
