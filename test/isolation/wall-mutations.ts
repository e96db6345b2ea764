import { logins } from "../../src/store/postgres/roles.ts";
import type { WallWorld } from "./wall-world.ts";

/** One part of the wall that is gone, or gives way. */
export interface Mutant {
  readonly kind: string;
  readonly name: string;
  readonly sql: readonly string[];
  /** The relations, by their bare names, that statements are tried on. */
  readonly aims: readonly string[];
}

const tenantTables = ["tenant_event", "storm_member_edition", "retraction", "incident_edition"];

/** All of them, made from the catalogue as it is: what is added to the wall later is taken away here too. */
export async function wallMutants({ db }: Pick<WallWorld, "db">): Promise<readonly Mutant[]> {
  const named = [...(await ofTables(db.sql)), ...(await ofPolicies(db.sql)), ...(await ofGrants(db.sql))];
  return [
    ...named.map((mutant) => ({ ...mutant, aims: relationsIn(mutant.sql) })),
    ...(await ofFunctions(db.sql)).map((mutant) => ({ ...mutant, aims: tenantTables })),
    ...ofRoles().map((mutant) => ({ ...mutant, aims: ["event", ...tenantTables] })),
  ];
}

type Change = Omit<Mutant, "aims">;

function relationsIn(sql: readonly string[]): readonly string[] {
  return [...new Set(sql.flatMap((one) => one.match(/(?<=isochron\.)\w+/g) ?? []))];
}

type Sql = WallWorld["db"]["sql"];

async function ofTables(sql: Sql): Promise<readonly Change[]> {
  const rows = await sql<{ name: string; partition: boolean; granted: boolean }>(
    `SELECT c.oid::regclass::text AS name, c.relispartition AS partition,
            EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) AS granted
       FROM pg_class c WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`,
  );
  return rows.flatMap(({ name, partition }) => [
    {
      kind: "row-level security",
      name: `${name} without it`,
      sql: [`ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`],
    },
    {
      kind: "FORCE",
      name: `${name} open to its owner`,
      sql: [`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`],
    },
    ...(partition
      ? [
          {
            kind: "partitions",
            name: `${name} granted, its wall down`,
            sql: [
              `GRANT SELECT ON ${name} TO isochron_tenant`,
              `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`,
            ],
          },
        ]
      : []),
    {
      kind: "grants that are too many",
      name: `${name} shown to tenants`,
      sql: [
        `GRANT SELECT ON ${name} TO isochron_tenant`,
        `CREATE POLICY lax ON ${name} FOR SELECT TO isochron_tenant USING (true)`,
      ],
    },
    {
      kind: "grants that are too many",
      name: `${name} granted to PUBLIC`,
      sql: [`GRANT SELECT ON ${name} TO PUBLIC`],
    },
    {
      kind: "views",
      name: `${name} through a view of its owner's`,
      sql: [
        `SET LOCAL ROLE isochron_owner`,
        `CREATE VIEW isochron.seen AS SELECT * FROM ${name}`,
        `GRANT SELECT ON isochron.seen TO isochron_tenant, isochron_operator`,
        "RESET ROLE",
      ],
    },
  ]);
}

async function ofPolicies(sql: Sql): Promise<readonly Change[]> {
  const rows = await sql<{ table: string; policy: string; login: string; predicate: string }>(
    `SELECT p.polrelid::regclass::text AS "table", p.polname AS policy, r::regrole::text AS login,
            pg_get_expr(p.polqual, p.polrelid) AS predicate
       FROM pg_policy p, unnest(p.polroles) AS r
      WHERE r::regrole::text IN ('isochron_tenant', 'isochron_operator', 'isochron_provider') ORDER BY 1, 2`,
  );
  return rows.flatMap(({ table, policy, login, predicate }) => [
    ...(predicate === "true"
      ? []
      : [
          {
            kind: "policies",
            name: `${policy} on ${table} that lets all pass`,
            sql: [`ALTER POLICY ${policy} ON ${table} USING (true)`],
          },
          {
            kind: "policies",
            name: `${policy} on ${table} gone`,
            sql: [`DROP POLICY ${policy} ON ${table}`],
          },
          ...withoutEach(predicate).map(({ gone, rest }) => ({
            kind: "predicates",
            name: `${policy} on ${table} without ${gone}`,
            sql: [`ALTER POLICY ${policy} ON ${table} USING (${rest})`],
          })),
        ]),
    ...(login === "isochron_tenant"
      ? []
      : [
          {
            kind: "policies",
            name: `${policy} on ${table} for tenants too`,
            sql: [
              `ALTER POLICY ${policy} ON ${table} TO ${login}, isochron_tenant`,
              `GRANT SELECT ON ${table} TO isochron_tenant`,
            ],
          },
        ]),
  ]);
}

/** A predicate as the server spells it, with each part of each AND and OR left out in turn. */
export function withoutEach(predicate: string): readonly { readonly gone: string; readonly rest: string }[] {
  const inner = stripped(predicate);
  for (const word of [" AND ", " OR "]) {
    const parts = splitAt(inner, word);
    if (parts.length === 1) continue;
    return parts.flatMap((part, index) => {
      const others = (mine: readonly string[]) => `(${mine.join(word)})`;
      return [
        { gone: part, rest: others(parts.toSpliced(index, 1)) },
        ...withoutEach(part).map(({ gone, rest }) => ({
          gone,
          rest: others(parts.toSpliced(index, 1, rest)),
        })),
      ];
    });
  }
  return [];
}

/** Without a pair of parentheses around all of it. */
function stripped(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let at = 0; at < text.length - 1; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (depth === 0) return text;
  }
  return stripped(text.slice(1, -1));
}

function splitAt(text: string, word: string): readonly string[] {
  const parts: string[] = [];
  let [depth, since] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (depth !== 0 || !text.startsWith(word, at)) continue;
    parts.push(text.slice(since, at));
    since = at + word.length;
  }
  return [...parts, text.slice(since)];
}

async function ofGrants(sql: Sql): Promise<readonly Change[]> {
  const rows = await sql<{ grant: string; readers: boolean }>(
    `SELECT format('%s ON %s FROM %s', a.privilege_type, c.oid::regclass, a.grantee::regrole) AS grant
       FROM pg_class c, aclexplode(c.relacl) a
      WHERE c.relnamespace = 'isochron'::regnamespace
        AND a.grantee::regrole::text = 'isochron_tenant' ORDER BY 1`,
  );
  const writing = ["event", ...tenantTables].flatMap((table) =>
    [logins.tenant, logins.operator, logins.provider].map((login) => ({
      kind: "grants that are too many",
      name: `${table} written by ${login}`,
      sql: [`GRANT INSERT, UPDATE, DELETE, TRUNCATE ON isochron.${table} TO ${login}`],
    })),
  );
  return [
    ...rows.map(({ grant }) => ({ kind: "grants that are missing", name: grant, sql: [`REVOKE ${grant}`] })),
    ...writing,
  ];
}

async function ofFunctions(sql: Sql): Promise<readonly Change[]> {
  const rows = await sql<{ signature: string; definition: string; definer: boolean; pinned: boolean }>(
    `SELECT oid::regprocedure::text AS signature, pg_get_functiondef(oid) AS definition, prosecdef AS definer,
            proconfig IS NOT NULL AS pinned
       FROM pg_proc WHERE pronamespace = 'isochron'::regnamespace ORDER BY 1`,
  );
  return rows.flatMap(({ signature, definition, definer, pinned }) => [
    {
      kind: "functions",
      name: `${signature} for everybody`,
      sql: [`GRANT EXECUTE ON FUNCTION ${signature} TO PUBLIC`],
    },
    ...(definer && pinned
      ? [
          {
            kind: "functions",
            name: `${signature} without its path`,
            sql: [`ALTER FUNCTION ${signature} RESET search_path`],
          },
        ]
      : []),
    ...(/claimed_/.test(signature)
      ? [
          {
            kind: "functions",
            name: `${signature} as its caller`,
            sql: [`ALTER FUNCTION ${signature} SECURITY INVOKER`],
          },
          {
            kind: "functions",
            name: `${signature} that tenants may not call`,
            sql: [`REVOKE EXECUTE ON FUNCTION ${signature} FROM isochron_tenant`],
          },
        ]
      : []),
    ...(signature.includes("verified_claim") ? ofVerifier(definition) : []),
    ...(signature.includes("search_events") ? ofSearch(definition) : []),
  ]);
}

/** Each condition on which a claim is refused, never met. */
function ofVerifier(definition: string): readonly Change[] {
  const conditions: readonly (readonly [name: string, found: string, instead: string])[] = [
    ["the signature", "signature IS DISTINCT FROM left(claim, 64)", "false"],
    ["the session", "(body ->> 'pid')::integer IS DISTINCT FROM pg_backend_pid()", "false"],
    [
      "the transaction",
      "body ->> 'tx' IS DISTINCT FROM (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text",
      "false",
    ],
    [
      "the end of its time",
      "coalesce(to_timestamp((body ->> 'exp')::double precision) <= clock_timestamp(), true)",
      "false",
    ],
  ];
  return conditions.map(([name, found, instead]) => {
    if (!definition.includes(found))
      throw new Error(`the verifier no longer asks for ${name} in these words`);
    return {
      kind: "the claim's verifier",
      name: `without ${name}`,
      sql: [definition.replace(found, instead)],
    };
  });
}

/** What the search states in its own words, left out. */
function ofSearch(definition: string): readonly Change[] {
  const open = "e.visibility IN ('operational', 'billing', 'provider') AND e.search LIKE";
  const auditors = "session_user = 'isochron_provider'";
  for (const words of [open, auditors])
    if (!definition.includes(words)) throw new Error(`the search no longer says ${words}`);
  return [
    { kind: "the search", name: "of any class", sql: [definition.replace(open, "e.search LIKE")] },
    {
      kind: "the search",
      name: "for operators as for auditors",
      sql: [definition.replace(auditors, "true")],
    },
  ];
}

function ofRoles(): readonly Change[] {
  const each = [logins.tenant, logins.operator, logins.provider];
  return [
    ...each.flatMap((login) => [
      { kind: "roles", name: `${login} passes policies`, sql: [`ALTER ROLE ${login} BYPASSRLS`] },
      { kind: "roles", name: `${login} is a superuser`, sql: [`ALTER ROLE ${login} SUPERUSER`] },
      { kind: "roles", name: `${login} is a member of the owner`, sql: [`GRANT isochron_owner TO ${login}`] },
      { kind: "roles", name: `${login} owns a table`, sql: [`ALTER TABLE isochron.event OWNER TO ${login}`] },
      {
        kind: "roles",
        name: `${login} makes objects`,
        sql: [`GRANT CREATE ON SCHEMA isochron TO ${login}`],
      },
      {
        kind: "roles",
        name: `${login} makes temporary objects`,
        sql: [
          `DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ${login}', current_database()); END $$`,
        ],
      },
    ]),
    { kind: "roles", name: "tenants read all data", sql: ["GRANT pg_read_all_data TO isochron_tenant"] },
    { kind: "roles", name: "operators are auditors", sql: ["GRANT isochron_provider TO isochron_operator"] },
    {
      kind: "roles",
      name: "functions to come are everybody's",
      sql: ["ALTER DEFAULT PRIVILEGES FOR ROLE isochron_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC"],
    },
    {
      kind: "roles",
      name: "tables to come are tenants'",
      sql: ["ALTER DEFAULT PRIVILEGES FOR ROLE isochron_owner GRANT SELECT ON TABLES TO isochron_tenant"],
    },
  ];
}
