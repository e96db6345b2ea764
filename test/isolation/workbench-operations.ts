import { allSeen, badQuery, found, get, reached, spell, type Operation } from "./matrix-operation.ts";
import type { Thing } from "./matrix-world.ts";
import type { TrueEvent } from "./true-event.ts";

const answer = { kind: "provider" };
const order = ({ id }: Thing) => ({
  match: { event_id: decodeURIComponent(id) },
  answer,
  why: "tried by a test",
  digest: "of no dry run",
});

/** What the provider's people work with. */
export const workbenchOperations: readonly Operation[] = [
  ...["/rulings", "/notice-templates", "/notice-templates/host-failure"].map((path): Operation => ({
    name: `GET ${path.replace("host-failure", "{name}")}`,
    need: "workbench",
    ask: get(() => path),
    expect: () => ({ status: 200, shows: [] }),
  })),
  {
    name: "GET /sources",
    need: "workbench",
    ask: get(() => "/sources"),
    expect: () => ({ status: 200 }),
  },
  {
    name: "GET /quarantine",
    need: "workbench",
    ask: get(() => "/quarantine"),
    expect: (who, _thing, world) => {
      const waits = ({ whose }: TrueEvent): boolean => whose.is === "unresolved" || whose.is === "ambiguous";
      return { status: 200, among: allSeen(who, world, waits) };
    },
  },
  {
    name: "(GET /metrics)",
    need: "workbench",
    ask: () => ({ method: "GET", path: "/metrics", isWhole: true }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "GET /rulings/{id}",
    need: "workbench",
    ask: get(({ id }) => `/rulings/${id}`),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /quarantine/dry-run",
    need: "decide",
    ask: (thing) => ({
      method: "POST",
      path: "/quarantine/dry-run",
      body: { match: { event_id: decodeURIComponent(thing.id) }, answer },
    }),
    expect: (who, thing) => ({
      status: 200,
      among: spell(thing.event, reached(who, thing)),
    }),
  },
  {
    name: "POST /rulings",
    need: "decide",
    ask: (thing) => ({ method: "POST", path: "/rulings", body: order(thing) }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "POST /rulings/{id}/versions",
    need: "decide",
    ask: (thing) => ({
      method: "POST",
      path: `/rulings/${thing.id}/versions`,
      body: { ...order(thing), expected_version: 1 },
    }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /rulings/{id}/withdrawal",
    need: "decide",
    ask: ({ id }) => ({
      method: "POST",
      path: `/rulings/${id}/withdrawal`,
      body: { why: "tried", expected_version: 1 },
    }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /notice-templates/preview",
    need: "decide",
    ask: ({ name }) => ({
      method: "POST",
      path: "/notice-templates/preview",
      body: { text: `${name}: {part}` },
    }),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "PUT /notice-templates/{name}",
    need: "decide",
    ask: () => ({
      method: "PUT",
      path: "/notice-templates/host-failure",
      body: { text: "{part}", expected_version: 99, why: "tried" },
    }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "DELETE /notice-templates/{name}",
    need: "decide",
    ask: () => ({ method: "DELETE", path: "/notice-templates/host-failure?expected_version=99&why=tried" }),
    expect: () => ({ status: "admitted" }),
  },
];

/** Planned work, and what people say of merged alerts. */
export const alertOperations: readonly Operation[] = [
  {
    name: "GET /maintenance",
    need: "workbench",
    ask: get(() => "/maintenance"),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /maintenance",
    need: "decide",
    ask: ({ subject }) => ({
      method: "POST",
      path: "/maintenance",
      body: {
        title: "planned work",
        from: "2026-11-20T00:00:00Z",
        to: "2026-11-21T00:00:00Z",
        on: [{ kind: "host", id: subject.id }],
        why: "tried by a test",
      },
    }),
    expect: () => ({ status: "admitted" }),
  },
  {
    name: "DELETE /maintenance/{id}",
    need: "decide",
    ask: () => ({ method: "DELETE", path: `/maintenance/mnt_${"0".repeat(26)}?why=tried` }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /alerts/splits",
    need: "decide",
    ask: ({ id }) => ({
      method: "POST",
      path: "/alerts/splits",
      body: { event: decodeURIComponent(id), why: "tried by a test" },
    }),
    expect: (who, thing) => (reached(who, thing).length === 0 ? { status: 404 } : { status: "admitted" }),
  },
  {
    name: "POST /alerts/splits/{id}/undoing",
    need: "decide",
    ask: () => ({
      method: "POST",
      path: `/alerts/splits/spl_${"0".repeat(26)}/undoing`,
      body: { why: "tried" },
    }),
    expect: () => ({ status: 404 }),
  },
];

/** What people say of changes before symptoms. */
export const verdictOperations: readonly Operation[] = [
  {
    name: "GET /verdicts",
    need: "workbench",
    ask: get(({ id }) => `/verdicts?symptom=${id}`),
    expect: (who, thing) =>
      thing.malformed ? badQuery : found(reached(who, thing), { status: 200, shows: [] }),
  },
  {
    name: "GET /tuning",
    need: "workbench",
    ask: get(() => "/tuning"),
    expect: () => ({ status: 200, shows: [] }),
  },
  {
    name: "POST /verdicts",
    need: "decide",
    ask: ({ id }) => ({
      method: "POST",
      path: "/verdicts",
      body: {
        symptom: decodeURIComponent(id),
        candidate: `evt_${"0".repeat(26)}`,
        verdict: "suspected",
        why: "tried by a test",
      },
    }),
    expect: (_, { malformed }) => (malformed ? { status: "refused" } : { status: 404 }),
  },
];

/** Who did what: auditors' and administrators'. */
export const auditOperations: readonly Operation[] = [
  ...["/audit", "/audit/head"].map((path): Operation => ({
    name: `GET ${path}`,
    need: "audit",
    ask: get(() => path),
    expect: () => ({ status: "admitted" }),
  })),
  {
    name: "GET /audit/{sequence}",
    need: "audit",
    ask: get(() => "/audit/999999999"),
    expect: () => ({ status: 404 }),
  },
];

/** What is kept, held and erased: administrators'. */
export const retentionOperations: readonly Operation[] = [
  ...["/holds", "/erasures"].flatMap((path): readonly Operation[] => [
    {
      name: `GET ${path}`,
      need: "administer",
      ask: get(() => path),
      expect: () => ({ status: 200, shows: [] }),
    },
    {
      name: `POST ${path}`,
      need: "administer",
      ask: () => ({ method: "POST", path, body: {} }),
      expect: () => ({ status: "admitted" }),
    },
  ]),
  {
    name: "POST /holds/{id}/lifting",
    need: "administer",
    ask: ({ id }) => ({ method: "POST", path: `/holds/${id}/lifting`, body: { why: "tried" } }),
    expect: () => ({ status: 404 }),
  },
  {
    name: "POST /erasures/dry-run",
    need: "administer",
    ask: () => ({ method: "POST", path: "/erasures/dry-run", body: {} }),
    expect: () => ({ status: "admitted" }),
  },
];
