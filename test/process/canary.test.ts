import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SourcesJson } from "../../src/present/api/contract.ts";
import { eventually } from "../eventually.ts";
import { askIsochron, RunningIsochron, runIsochron } from "../isochron-command.ts";
import { embeddedStore, type EmbeddedStore } from "../outside-store.ts";

/** Each secret is a word of its own, so that one found anywhere says which way it took. */
const canary = (name: string): string => `canary-${name}-${"5f0c9b7d"}`;
const kinds = [
  "basic",
  "bearer",
  "tls",
  "postgres",
  "mysql",
  "amqp",
  "kafka",
  "nats",
  "keystone",
  "zabbix",
  "forge",
  "hook",
  "server",
  "audit",
  "erasure",
  "client",
  "service",
  "written",
  "header",
] as const;
type Kind = (typeof kinds)[number];
const variable = (kind: Kind): string => `CANARY_${kind.toUpperCase()}`;
const reference = (kind: Kind): string => `env:${variable(kind)}`;

const servers: Server[] = [];
let folder: string;
let store: EmbeddedStore;
let output = "";
let configPath: string;
let env: Record<string, string>;

/** Listens on loopback, and gives the port. */
async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** A service that refuses everybody, repeating in its answer whatever it was told. */
async function repeating(status: number): Promise<string> {
  const server = createHttpServer((request, response) => {
    void textOf(request).then((body) => {
      const said = JSON.stringify({ error: { message: body, headers: request.headers }, url: request.url });
      response
        .writeHead(status, { "content-type": "application/json", "x-echo": encodeURIComponent(said) })
        .end(said);
    });
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

/** A PostgreSQL that refuses the login in words that hold the password, as a proxy's message may. */
function loudPostgres(): Promise<number> {
  return listen(
    createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        const fields = `SFATAL\0C28P01\0Mlogin with ${canary("postgres")} failed\0\0`;
        const head = Buffer.alloc(5);
        head.write("E");
        head.writeUInt32BE(4 + Buffer.byteLength(fields), 1);
        socket.end(Buffer.concat([head, Buffer.from(fields)]));
      });
    }),
  );
}

/** Takes the connection and says something that no protocol knows. */
function babbling(): Promise<number> {
  return listen(
    createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`what is ${canary("amqp")}?\r\n`);
    }),
  );
}

async function writeConfig(): Promise<void> {
  const [denying, failing, babble, postgres] = [
    await repeating(401),
    await repeating(500),
    await babbling(),
    await loudPostgres(),
  ];
  const connection = (name: string, source: string, config: object) => ({
    name,
    source,
    interval_seconds: 1,
    config,
  });
  const restApi = (name: string, url: string, auth: object) =>
    connection(name, "rest", { preset: "request-tracker", url, auth });
  env = Object.fromEntries(kinds.map((kind) => [variable(kind), canary(kind)]));
  env[variable("postgres")] = `postgres://reader:${canary("postgres")}@127.0.0.1:${postgres}/desk`;
  env[variable("mysql")] = `mysql://reader:${canary("mysql")}@127.0.0.1:${babble}/desk`;
  env[variable("amqp")] = `amqp://reader:${canary("amqp")}@127.0.0.1:${babble}/`;
  const settings = {
    secret: reference("server"),
    audit_key: reference("audit"),
    erasure_key: reference("erasure"),
    connections: [
      restApi("basic", denying, { basic: { user: "u", password: reference("basic") } }),
      restApi("bearer", failing, { bearer: reference("bearer") }),
      restApi("header", denying, { header: { name: "x-key", value: reference("header") } }),
      restApi("tls", denying.replace("http:", "https:"), { bearer: reference("tls") }),
      connection("postgres", "sql", { url: reference("postgres"), preset: "bacula" }),
      connection("mysql", "sql", { url: reference("mysql"), preset: "bacula" }),
      connection("amqp", "openstack-notifications", { url: reference("amqp") }),
      connection("kafka", "kafka", {
        brokers: [`127.0.0.1:${babble}`],
        topics: ["t"],
        sasl: { mechanism: "PLAIN", user: "u", password: reference("kafka") },
      }),
      connection("nats", "nats", {
        servers: [`127.0.0.1:${babble}`],
        stream: "s",
        user: "u",
        password: reference("nats"),
      }),
      connection("keystone", "openstack-inventory", {
        auth: { auth_url: `${denying}/v3`, username: "u", password: reference("keystone") },
      }),
      connection("forge", "git-forge", {
        secret: reference("forge"),
        hook: { url: `${denying}/hooks/1`, token: reference("hook") },
      }),
      connection("zabbix", "zabbix-webhook", { api_url: `${denying}/api`, api_token: reference("zabbix") }),
    ],
    identity_providers: [
      {
        name: "keystone",
        kind: "keystone",
        auth_url: `${denying}/v3`,
        service: { user: "s", user_domain_id: "default", password: reference("service") },
      },
    ],
  };
  await writeFile(configPath, JSON.stringify(settings));
  await chmod(configPath, 0o600);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isochron-canary-"));
  configPath = join(folder, "isochron.yaml");
  store = await embeddedStore();
  await writeConfig();
});

afterAll(async () => {
  for (const server of servers) server.close();
  await store.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Every place where one of the secrets stands in the text. */
function leaksIn(text: string, where: string): readonly string[] {
  const spellings = kinds.flatMap((kind) => {
    const secret = canary(kind);
    return [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64").replace(/=+$/, "")];
  });
  return spellings.filter((secret) => text.includes(secret)).map((secret) => `${where} holds ${secret}`);
}

async function leaksUnder(path: string): Promise<readonly string[]> {
  const files = await readdir(path, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const file of files.filter((one) => one.isFile())) {
    const name = join(file.parentPath, file.name);
    found.push(...leaksIn((await readFile(name)).toString("latin1"), name));
  }
  return found;
}

/** Asks for what is refused, and for all that is told. */
async function provokeRefusals(ask: (path: string, init?: RequestInit) => Promise<string>): Promise<void> {
  const forge = {
    "x-github-event": "push",
    "x-hub-signature-256": "sha256=00",
    "content-type": "application/json",
  };
  await ask("/api/v1/ingest/forge", { method: "POST", headers: forge, body: "{}" });
  await ask("/api/v1/session/keystone/keystone", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "u", password: canary("client") }),
  });
  for (const path of [
    "/metrics",
    "/api/v1/coverage",
    "/api/v1/events",
    "/api/v1/quarantine",
    "/api/v1/audit",
  ])
    await ask(path);
}

/** Every row of every table, as text. */
async function dumpTables(): Promise<void> {
  const client = await store.connect();
  const { rows } = await client.query(
    `SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables
      WHERE table_schema = 'isochron' AND table_type = 'BASE TABLE'`,
  );
  for (const { name } of rows) {
    const dump = await client.query(`SELECT to_jsonb(t)::text AS row FROM ${name} t`);
    output += dump.rows.map(({ row }) => String(row)).join("\n");
  }
  await client.end();
}

async function provokeAll(): Promise<SourcesJson> {
  const given = { env, cwd: folder };
  const token = (
    await askIsochron(
      ["token", "create", "--name", "t", "--provider", "--role", "admin", ...store.args],
      given,
    )
  ).trim();
  const process = new RunningIsochron(
    ["serve", "--port", "0", "--log-level", "trace", "--config", configPath, ...store.args],
    given,
  );
  try {
    const [, url = ""] = await process.printed(/Isochron listens on (\S+)/);
    const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
      const headers = { authorization: `Bearer ${token}`, ...init.headers };
      const answer = await fetch(new URL(path, url), { ...init, headers });
      const text = await answer.text();
      output += `${JSON.stringify(Object.fromEntries(answer.headers))}\n${text}\n`;
      return text;
    };
    const read = async () => JSON.parse(await ask("/api/v1/sources")) as SourcesJson;
    const pulled = [
      "basic",
      "bearer",
      "header",
      "tls",
      "postgres",
      "mysql",
      "amqp",
      "kafka",
      "nats",
      "keystone",
    ];
    const sources = await eventually("every connection tells of its trouble", async () => {
      const told = await read();
      const troubled = told.connections.filter((one) => one.last_error !== undefined);
      return pulled.every((name) => troubled.some((one) => one.connection === name)) ? told : undefined;
    });
    await provokeRefusals(ask);
    await dumpTables();
    const remote = ["--server", url, "--token", token];
    for (const args of [
      ["sources", ...remote],
      ["sources", "amqp", ...remote],
      ["events", ...remote],
    ])
      output += JSON.stringify(await runIsochron(args, given));
    return sources;
  } finally {
    const { stdout, stderr } = await process.end("SIGTERM");
    output += stdout + stderr;
  }
}

test("no failure of anything that was given a secret tells the secret anywhere", async () => {
  const sources = await provokeAll();
  expect(sources.connections.length).toBeGreaterThan(10);
  const given = { env, cwd: folder };
  for (const name of ["basic", "header", "tls", "postgres", "mysql", "keystone"])
    output += JSON.stringify(
      await runIsochron(["harvest", name, "--config", configPath, ...store.args], given),
    );
  output += JSON.stringify(
    await runIsochron(["reconcile", "forge", "--config", configPath, ...store.args], given),
  );
  output += JSON.stringify(await runIsochron(["doctor", "--config", configPath, ...store.args], given));
  const asking = {
    ...given,
    env: { ...env, ISOCHRON_TOKEN: canary("client"), ISOCHRON_SERVER: await repeating(401) },
  };
  output += JSON.stringify(await runIsochron(["events"], asking));
  await writeFile(
    join(folder, "wrong.yaml"),
    JSON.stringify({
      secret: canary("written"),
      connections: [
        {
          name: "a",
          source: "rest",
          config: { preset: "jira", url: "x", auth: { bearer: canary("written") } },
        },
        { name: "b", source: "sql", config: { url: `postgres://u:${canary("written")}@h/d` } },
      ],
    }),
  );
  output += JSON.stringify(await runIsochron(["doctor", "--config", join(folder, "wrong.yaml")], given));
  expect(output.length).toBeGreaterThan(10_000);
  expect([...leaksIn(output, "the output"), ...(await leaksUnder(store.data))]).toEqual([]);
});
