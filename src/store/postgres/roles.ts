import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type pg from "pg";
import { IsochronError } from "../../errors.ts";

/** The logins by which the pools connect: none owns anything, none is a member of another. */
export const logins = {
  ingest: "isochron_ingest",
  provider: "isochron_provider",
  /** The provider's, but for what is of the class security. */
  operator: "isochron_operator",
  tenant: "isochron_tenant",
} as const;
export type LoginName = keyof typeof logins;
/** Owns every object; nobody can log in as it. */
export const ownerRole = "isochron_owner";

const roleOptions = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT";
/** Outcomes of another process making the same role at the same moment. */
const madeMeanwhile = new Set(["42710", "23505", "XX000"]);

/** Each login's password, derived from the administrator's so that every process finds the same. */
export function loginPassword(adminPassword: string | undefined, login: string): string | undefined {
  if (adminPassword === undefined || adminPassword === "") return undefined;
  return createHmac("sha256", adminPassword).update(`isochron login ${login}`).digest("base64url");
}

/**
 * Makes the roles where they are missing, sets right what is wrong with them, and lets them into this
 * database. Roles belong to the whole server, so other databases may have made them already.
 */
export async function ensureRoles(admin: pg.Client, adminPassword: string | undefined): Promise<void> {
  try {
    // Two processes that change the same rights at once fail with "tuple concurrently updated".
    await admin.query("SELECT pg_advisory_lock(hashtext('isochron roles'))");
    await ensureRole(admin, ownerRole, "NOLOGIN", undefined);
    for (const login of Object.values(logins)) {
      await ensureRole(admin, login, "LOGIN", loginPassword(adminPassword, login));
    }
    await joinOwner(admin);
    await openDatabase(admin);
    await admin.query("SELECT pg_advisory_unlock(hashtext('isochron roles'))");
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code !== "42501") throw cause;
    throw new IsochronError(
      "store-unavailable",
      `The database login may not prepare the store: ${message}.`,
      "Give ISOCHRON_DATABASE_URL a login that may create roles and owns the database.",
      { cause },
    );
  }
}

/** Gives a login the password of this server's administrator again, after that one was changed. */
export async function resetPassword(admin: pg.Client, login: string, password: string): Promise<void> {
  await admin.query(`ALTER ROLE ${login} PASSWORD '${scramVerifier(password)}'`);
}

async function ensureRole(
  admin: pg.Client,
  name: string,
  login: "LOGIN" | "NOLOGIN",
  password: string | undefined,
): Promise<void> {
  const found = await admin.query<{ right: boolean }>(
    `SELECT NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
            AND rolcanlogin = $2 AS right
       FROM pg_roles WHERE rolname = $1`,
    [name, login === "LOGIN"],
  );
  if (found.rows[0]?.right === true) return;
  const secret = password === undefined ? "" : ` PASSWORD '${scramVerifier(password)}'`;
  const verb = found.rows.length === 0 ? "CREATE" : "ALTER";
  // Only a superuser may mention the attributes that only a superuser could have given.
  const options = verb === "ALTER" ? roleOptions : "NOINHERIT";
  try {
    await admin.query(`${verb} ROLE ${name} ${login} ${options}${secret}`);
  } catch (error) {
    if (!madeMeanwhile.has((error as { code?: string }).code ?? "")) throw error;
  }
}

/** The administrator acts as the owner to migrate; a superuser may do so anyway. */
async function joinOwner(admin: pg.Client): Promise<void> {
  const version = Number((await admin.query("SHOW server_version_num")).rows[0].server_version_num);
  const kind = version >= 160_000 ? "SET" : "MEMBER";
  const can = await admin.query<{ can: boolean }>("SELECT pg_has_role(current_user, $1, $2) AS can", [
    ownerRole,
    kind,
  ]);
  if (can.rows[0]?.can === true) return;
  await admin.query(`GRANT ${ownerRole} TO CURRENT_USER`);
}

async function openDatabase(admin: pg.Client): Promise<void> {
  const names = Object.values(logins);
  const found = await admin.query<{ name: string; ready: boolean }>(
    `SELECT current_database() AS name,
            has_database_privilege($1, current_database(), 'CREATE')
            AND NOT EXISTS (SELECT FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                             WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'TEMPORARY')
            AND (SELECT bool_and(has_database_privilege(login, current_database(), 'CONNECT'))
                   FROM unnest($2::text[]) AS login) AS ready`,
    [ownerRole, names],
  );
  const row = found.rows[0];
  if (row === undefined || row.ready) return;
  const database = `"${row.name.replaceAll('"', '""')}"`;
  // Temporary objects are a way to shadow names and to run code below the wall; nobody here needs them.
  await admin.query(`REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC`);
  await admin.query(`GRANT CREATE ON DATABASE ${database} TO ${ownerRole}`);
  await admin.query(`GRANT CONNECT ON DATABASE ${database} TO ${names.join(", ")}`);
}

/** What PostgreSQL itself would store (RFC 5803), made here so that no password is sent or logged in clear. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = createHash("sha256").update(`isochron salt ${password}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
