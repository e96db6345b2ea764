import pg from "pg";
import { adminConfig } from "../../src/store/postgres/pools.ts";
import { parseDatabaseUrl } from "../../src/store/postgres/database-url.ts";
import { loginPassword, logins, type LoginName } from "../../src/store/postgres/roles.ts";

export interface SqlOutcome {
  readonly tried: number;
  /** One sentence for each statement that told or did what it must not. */
  readonly wrong: readonly string[];
}

/** All that a statement told: rows, streams, notices, errors with their details. */
export interface Told {
  readonly text: string;
  /** The error's code, or nothing where it went through. */
  readonly code?: string;
  /** Of the last of several statements. */
  readonly rows: readonly Readonly<Record<string, string | null>>[];
  readonly count: number;
}

/** A session on one login that hears everything the server says to it. */
export class SqlSession {
  readonly client: pg.Client;
  #heard: string[] = [];

  private constructor(client: pg.Client) {
    this.client = client;
    const listen = (told: unknown): void => void this.#heard.push(spell(told));
    client.on("notice", listen);
    client.on("notification", listen);
    client.on("error", () => undefined);
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
    connection.on("copyData", ({ chunk }: { chunk: Buffer }) => this.#heard.push(chunk.toString("utf8")));
  }

  static async open(url: string, login: LoginName | "admin"): Promise<SqlSession> {
    const target = parseDatabaseUrl(url);
    const user = login === "admin" ? target.adminUser : logins[login];
    const password = login === "admin" ? target.adminPassword : loginPassword(target.adminPassword, user);
    const client = new pg.Client({
      ...adminConfig(target),
      user,
      ...(password === undefined ? {} : { password }),
      statement_timeout: 5_000,
      // As the server spells it, so that no parser hides anything.
      types: { getTypeParser: () => (value: string) => value },
    });
    const session = new SqlSession(client);
    await client.connect();
    await client.query("SET client_min_messages = debug1");
    return session;
  }

  /** Sends one text, of one or of several statements, and gives all that comes back. */
  async tell(sql: string): Promise<Told> {
    this.#heard = [];
    try {
      const answer = await this.client.query(sql);
      const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryResult[];
      const last = results.at(-1);
      return {
        text: [...this.#heard, ...results.map(({ rows }) => spell(rows))].join("\n"),
        rows: (last?.rows ?? []) as Told["rows"],
        count: last?.rowCount ?? 0,
      };
    } catch (error) {
      const { code = "none", message } = error as { code?: string; message: string };
      return { text: [...this.#heard, message, spell(error)].join("\n"), code, rows: [], count: 0 };
    }
  }

  end(): Promise<void> {
    return this.client.end();
  }
}

/** JSON, and beside it what stands in bytes. */
function spell(told: unknown): string {
  const text = JSON.stringify(told) ?? "";
  const bytes = [...text.matchAll(/\\\\x((?:[0-9a-f]{2})+)/g)].map(([, hex = ""]) =>
    Buffer.from(hex, "hex").toString("utf8"),
  );
  return [text, ...bytes].join("\n");
}
