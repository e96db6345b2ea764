import type pg from "pg";
import type { Attribution } from "../../model/event.ts";
import { keysOf, type ErasureTarget } from "../../model/retention.ts";
import { parseTenantKey, projectKey, type TenantKey } from "../../model/tenant.ts";
import { searchable, searchFor, type WordSearch } from "./erasure-words.ts";
import type { EntityName } from "./retention-tombstones.ts";

/** Whom or what an erasure is of, as it stands in the store. */
export interface ErasureSubject {
  readonly kind: "tenant" | "user";
  /** Of the tenant, and of the projects that were its domain's alone. */
  readonly keys: readonly TenantKey[];
  /** What leads to its events, by control plane. */
  readonly mentioned: readonly { readonly controlPlane: string; readonly mentions: readonly string[] }[];
  /** What is not to come back. */
  readonly entities: readonly EntityName[];
  /** Entity keys of what is known of it alone, by control plane; empty stands for all. */
  readonly known: readonly { readonly controlPlane: string; readonly entities: readonly string[] }[];
  /** Ids, looked for in records that nobody could read. */
  readonly rawWords: readonly string[];
  /** Finds rows; empty where nothing can be looked for. */
  readonly search: WordSearch;
  /** What `search` finds. */
  readonly searched: readonly string[];
  /** Taken out of what is found, whatever it is. */
  readonly words: readonly string[];
  /** Keys of projects whose events are left alone, though their domain is erased. */
  readonly excepted: ReadonlySet<string>;
  readonly userId?: string;
  /** Whether an event goes as a whole, or stays without its part. */
  isWhole(row: {
    readonly subject_kind: string;
    readonly subject_id: string;
    readonly attribution: Attribution;
    readonly control_plane: string;
  }): boolean;
}

export async function readSubject(client: pg.ClientBase, target: ErasureTarget): Promise<ErasureSubject> {
  return target.kind === "user" ? readPerson(client, target) : readTenant(client, target.keys);
}

async function readPerson(
  client: pg.ClientBase,
  { userId, words }: Extract<ErasureTarget, { kind: "user" }>,
): Promise<ErasureSubject> {
  const { rows: named } = await client.query<{ word: string }>(
    `SELECT DISTINCT to_id AS word FROM isochron.topology_fact
      WHERE from_kind = 'user' AND from_id = $1 AND relation IN ('named', 'known_as', 'has_address')`,
    [userId],
  );
  const strong = searchable([userId, ...words]);
  const soft = named.map(({ word }) => word).filter((word) => word.length > 2);
  const key = `user:${userId}`;
  return {
    kind: "user",
    keys: [],
    mentioned: [{ controlPlane: "", mentions: [key] }],
    excepted: new Set(),
    entities: [["", key]],
    known: [{ controlPlane: "", entities: [key] }],
    rawWords: [userId, ...words],
    search: searchFor(strong),
    searched: strong,
    words: [...new Set([...strong, userId, ...words, ...soft])],
    userId,
    isWhole: (row) => row.subject_kind === "user" && row.subject_id === userId,
  };
}

async function readTenant(client: pg.ClientBase, given: readonly TenantKey[]): Promise<ErasureSubject> {
  // A customer's domain stands without the projects that another customer has by name.
  const excepted = new Set(given.filter((key) => key.startsWith("!")).map((key) => key.slice(1)));
  const named = given.filter((key) => !key.startsWith("!"));
  const keys = new Set(named);
  for (const key of named) {
    const { controlPlane, domainId } = parseTenantKey(key);
    if (domainId === undefined) continue;
    for (const id of await projectsAlone(client, controlPlane, domainId))
      if (!excepted.has(projectKey(controlPlane, id))) keys.add(projectKey(controlPlane, id));
  }
  const byPlane = Map.groupBy([...keys].map(parseTenantKey), (tenant) => tenant.controlPlane);
  const planes: { controlPlane: string; tenants: string[]; things: string[] }[] = [];
  for (const [controlPlane, tenants] of byPlane) {
    const own = tenants.flatMap((one) => {
      if (one.projectId !== undefined) return [`project:${one.projectId}`];
      // What others have in it still speaks of the domain.
      return excepted.size > 0 ? [] : [`domain:${one.domainId}`];
    });
    planes.push({ controlPlane, tenants: own, things: await thingsAlone(client, controlPlane, own) });
  }
  const ids = planes.flatMap(({ tenants, things }) => [...tenants, ...things]).map(idOf);
  const words = searchable(ids);
  return {
    kind: "tenant",
    keys: [...keys],
    mentioned: planes.map(({ controlPlane, tenants, things }) => ({
      controlPlane,
      mentions: [
        ...[...keys]
          .map(parseTenantKey)
          .filter((one) => one.controlPlane === controlPlane && one.projectId === undefined)
          .map(({ domainId }) => `tenant/domain:${domainId}`),
        ...tenants.map((key) => `tenant/${key}`),
        ...tenants,
        ...things,
      ],
    })),
    excepted,
    entities: planes.flatMap(({ controlPlane, tenants, things }) =>
      [...tenants, ...things].map((key) => [controlPlane, key] as const),
    ),
    known: planes.map(({ controlPlane, tenants, things }) => ({
      controlPlane,
      entities: [...tenants, ...things],
    })),
    rawWords: [...new Set([...words, ...planes.flatMap(({ tenants }) => tenants.map(idOf))])],
    search: searchFor(words),
    searched: words,
    words,
    isWhole: ({ attribution, control_plane, subject_kind, subject_id }) => {
      // What it did to others is theirs.
      if (affectsOthers(attribution, keys)) return false;
      if (attribution.status === "owned") {
        const { controlPlane, projectId, domainId } = attribution.tenant;
        return [...keys].some((key) => {
          const own = parseTenantKey(key);
          if (own.controlPlane !== controlPlane) return false;
          return own.projectId === undefined ? own.domainId === domainId : own.projectId === projectId;
        });
      }
      const plane = planes.find((one) => one.controlPlane === control_plane);
      const subject = `${subject_kind}:${subject_id}`;
      return plane?.tenants.includes(subject) === true || plane?.things.includes(subject) === true;
    },
  };
}

function affectsOthers(attribution: Attribution, keys: ReadonlySet<string>): boolean {
  if (attribution.status !== "shared") return false;
  return attribution.affected.some(({ tenant }) => !keysOf(tenant).some((key) => keys.has(key)));
}

function idOf(entityKey: string): string {
  return entityKey.slice(entityKey.indexOf(":") + 1);
}

/** Projects that were never another domain's. */
async function projectsAlone(
  client: pg.ClientBase,
  controlPlane: string,
  domainId: string,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT from_id AS id FROM isochron.topology_run
      WHERE control_plane = $1 AND from_kind = 'project' AND relation = 'part_of' AND holds
      GROUP BY from_id HAVING bool_and(to_kind = 'domain' AND to_id = $2)`,
    [controlPlane, domainId],
  );
  return rows.map(({ id }) => id);
}

/** What was never another's, such as its servers: what was handed over is told of by its new owner's events too. */
async function thingsAlone(
  client: pg.ClientBase,
  controlPlane: string,
  tenants: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ key: string }>(
    `SELECT r.from_kind || ':' || r.from_id AS key
       FROM isochron.topology_run r
      WHERE r.control_plane = $1 AND r.relation = 'owned_by' AND r.holds
        AND (r.from_kind, r.from_id) IN (
          SELECT from_kind, from_id FROM isochron.topology_run
           WHERE control_plane = $1 AND relation = 'owned_by' AND to_kind || ':' || to_id = ANY($2::text[]))
      GROUP BY 1 HAVING bool_and(r.to_kind || ':' || r.to_id = ANY($2::text[])) ORDER BY 1`,
    [controlPlane, tenants],
  );
  return rows.map(({ key }) => key);
}
