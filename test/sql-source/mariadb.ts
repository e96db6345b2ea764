import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import mysql from "mysql2/promise";

const folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
const server = programNamed("mariadbd");
const installer = programNamed("mariadb-install-db");

/** Whether this machine has MariaDB, so that the tests on it can run at all. */
export const hasMariadb = server !== undefined && installer !== undefined;

export interface Mariadb {
  readonly url: string;
  readonly sql: (text: string, values?: readonly string[]) => Promise<readonly Record<string, unknown>[]>;
  readonly close: () => Promise<void>;
}

/** A server of its own in a folder that is removed again; it listens on a socket there and nowhere else. */
export async function openMariadb(): Promise<Mariadb> {
  if (server === undefined || installer === undefined) throw new Error("MariaDB is not installed");
  const folder = await mkdtemp(join(tmpdir(), "isochron-mariadb-"));
  const data = join(folder, "data");
  const socket = join(folder, "s");
  const user = userInfo().username;
  const own = ["--no-defaults", `--datadir=${data}`, `--user=${user}`];
  await promisify(execFile)(installer, [
    ...own,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ]);
  const process = spawn(server, [...own, `--socket=${socket}`, "--skip-networking", "--skip-log-bin"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await readiness(process);
  const url = `mysql://root@localhost/work?socketPath=${encodeURIComponent(socket)}`;
  const client = await mysql.createConnection({ user: "root", socketPath: socket, multipleStatements: true });
  await client.query("CREATE DATABASE work; USE work");
  return {
    url,
    sql: async (text, values = []) => {
      const [rows] = await client.query(text, [...values]);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    close: async () => {
      await client.end();
      const ended = new Promise((resolve) => process.once("exit", resolve));
      process.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function programNamed(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Settles when the server says that it takes connections; fails with its last words when it ends before. */
function readiness(process: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const lines = createInterface({ input: process.stderr! });
    lines.on("line", (line) => {
      said.push(line);
      if (line.includes("ready for connections")) resolve();
    });
    process.once("exit", (code) =>
      reject(new Error(`mariadbd ended with ${code}: ${said.slice(-3).join(" | ")}`)),
    );
  });
}
