import { join } from "node:path";
import type { Laboratory } from "./foreign-database.ts";
import { connection, openLaboratory, timed } from "./foreign-database.ts";
import { readOptions } from "../../test/command-options.ts";

/**
 * How long it takes to harvest whole tables of pf9-mngt through the `sql` preset (read, normalised, attributed, indexed,
 * stored), as a ratio to PostgreSQL's own `COPY` of the same rows into a plain table of the same server in the same run.
 * Usage: `npm run bench:sql -- [--rows N]`.
 */

/** Rows as pf9-mngt writes them: `$1` rows, a second apart, of 40 domains and 1,000 resources. */
const fillings = {
  activity_log: `
    INSERT INTO activity_log ("timestamp", actor, action, resource_type, resource_id, resource_name, domain_id,
                              domain_name, details, ip_address, result, error_message)
    SELECT now() - (($1::integer - n) * interval '1 second'), 'operator-' || n % 17,
           (ARRAY['create', 'delete', 'update', 'resize'])[1 + n % 4], (ARRAY['server', 'volume', 'network'])[1 + n % 3],
           md5((n % 1000)::text)::uuid::text, 'name-' || n % 50, md5('domain' || n % 40), 'acme',
           jsonb_build_object('request', n, 'flavor', 'm1.small'), '192.0.2.' || n % 250,
           CASE WHEN n % 10 = 0 THEN 'failure' ELSE 'success' END, CASE WHEN n % 10 = 0 THEN 'quota' END
      FROM generate_series(1, $1::integer) AS n`,
  auth_audit_log: `
    INSERT INTO auth_audit_log (username, action, resource, endpoint, ip_address, user_agent, "timestamp", success, details)
    SELECT 'user-' || n % 90, (ARRAY['login', 'logout', 'refresh'])[1 + n % 3], 'session', '/auth/login',
           ('198.51.100.' || n % 250)::inet, 'Mozilla/5.0', now() - (($1::integer - n) * interval '1 second'),
           n % 20 <> 0, '{}' FROM generate_series(1, $1::integer) AS n`,
} as const;

type Table = keyof typeof fillings;

async function measure(table: Table, rows: number): Promise<string> {
  const laboratory = await openLaboratory([table]);
  try {
    await laboratory.foreign.query(fillings[table], [rows]);
    const copySeconds = await timeCopy(laboratory, table);
    const first = await timed(() => laboratory.isochron.harvestOnce(connection, {}));
    if (first.result.created !== rows || first.result.setAside > 0)
      throw new Error(`${table}: ${JSON.stringify(first.result)} of ${rows} rows`);
    const again = await timed(() => laboratory.isochron.harvestOnce(connection, {}));
    if (again.result.created > 0)
      throw new Error(`${table}: the second pass stored ${again.result.created} more`);
    const cells = [
      `\`${table}\``,
      rows,
      copySeconds.toFixed(2),
      first.seconds.toFixed(1),
      Math.round(rows / first.seconds),
      (copySeconds / first.seconds).toFixed(4),
      again.seconds.toFixed(2),
    ];
    return `| ${cells.join(" | ")} |`;
  } finally {
    await laboratory.close();
  }
}

async function timeCopy({ foreign, serverDir }: Laboratory, table: Table): Promise<number> {
  const file = foreign.escapeLiteral(join(serverDir, `${table}.copy`));
  await foreign.query(`COPY ${table} TO ${file}`);
  const seconds: number[] = [];
  for (let count = 0; count < 3; count++) {
    await foreign.query(`CREATE TABLE plain (LIKE ${table})`);
    seconds.push((await timed(() => foreign.query(`COPY plain FROM ${file}`))).seconds);
    await foreign.query("DROP TABLE plain");
  }
  return seconds.toSorted((a, b) => a - b)[1]!;
}

const usage = "npm run bench:sql -- [--rows N]";

async function main(): Promise<number> {
  const values = readOptions(usage, { rows: { type: "string", default: "100000" } });
  const rows = Number(values.rows);
  if (!Number.isInteger(rows) || rows < 1 || rows > 10_000_000) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  console.log("| table | rows | `COPY`, s | harvested, s | rows/s | ratio to `COPY` | the next pass, s |");
  console.log("|---|---:|---:|---:|---:|---:|---:|");
  for (const table of Object.keys(fillings) as Table[]) console.log(await measure(table, rows));
  return 0;
}

process.exitCode = await main();
