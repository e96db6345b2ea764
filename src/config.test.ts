import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { ConfigProblem } from "./config-file.ts";
import { loadConfig, type ConfigInput } from "./config.ts";
import { resolveSecret } from "./config-secret.ts";
import { readTerminal } from "./config-terminal.ts";
import { IsochronError } from "./errors.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "isochron-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(input: ConfigInput & { file?: string } = {}) {
  if (input.file !== undefined) writeFileSync(join(cwd, "isochron.yaml"), input.file);
  return loadConfig({ cwd, env: { HOME: "/h" }, ...input });
}

function problemsOf(input: ConfigInput & { file?: string }): readonly ConfigProblem[] {
  try {
    load(input);
  } catch (error) {
    if (error instanceof IsochronError && error.code === "config-invalid")
      return error.cause as ConfigProblem[];
    throw error;
  }
  return [];
}

describe("the configuration", () => {
  test("nothing need be set", () => {
    expect(load()).toEqual({
      data: "/h/.local/share/isochron",
      host: "127.0.0.1",
      port: 4400,
      logLevel: "info",
      logFormat: "json",
      notifyAllowNetworks: [],
      inFlightBytesMax: 64 * 1024 * 1024,
      providerDomains: ["default"],
      trustedProxies: [],
      connections: [],
      customers: [],
      identityProviders: [],
      retention: { days: {}, tenants: new Map() },
      warnings: [],
    });
    expect(load({ env: { XDG_DATA_HOME: "/xdg" }, demo: true, terminal: true })).toMatchObject({
      data: "/xdg/isochron/demo",
      logFormat: "pretty",
    });
  });

  test("a secret that is written out in an identity provider's service is not repeated", () => {
    const service = "{ user: isochron, user_domain: Default, password: hunter2 }";
    const file = `identity_providers:\n  - { name: k, kind: keystone, auth_url: "https://k/v3", service: ${service} }\n`;
    const problems = problemsOf({ file });
    expect(problems).toEqual([
      {
        where: "isochron.yaml:2 identity_providers[0].service.password",
        what: "cannot be used",
        write: "`env:NAME`, `file:PATH` or `credential:NAME`, never the secret itself",
      },
    ]);
  });

  test("trusted proxies are addresses and ranges, and never everybody", () => {
    const own = ["10.0.0.7", "192.168.0.0/24", "::1", "fd00::/8"];
    expect(load({ env: { ISOCHRON_TRUSTED_PROXIES: own.join(", ") } }).trustedProxies).toEqual(own);
    const wrong = [
      "0.0.0.0/0",
      "::/0",
      "proxy.example.org",
      "loopback",
      "10",
      "fe80::1%eth0",
      "10.0.0.1/33",
      "",
    ];
    for (const one of wrong) {
      expect(problemsOf({ file: `trusted_proxies: [${JSON.stringify(one)}]\n` })).toMatchObject([
        { where: "isochron.yaml:1 trusted_proxies[0]", write: "an address or a range such as 10.0.0.0/8" },
      ]);
    }
  });

  test("flags weigh more than the environment, that more than the file, that more than defaults", () => {
    const file = "port: 1\nhost: file\nlog_level: debug\n";
    const env = { ISOCHRON_PORT: "2", ISOCHRON_HOST: "environment" };
    expect(load({ file, env, flags: { port: "3" } })).toMatchObject({
      port: 3,
      host: "environment",
      logLevel: "debug",
    });
  });

  test("every problem is reported at once, with its place and what to write", () => {
    const file = [
      "port: 70000",
      "colour: blue",
      "secret: hunter2",
      "connections:",
      "  - name: a b",
      "    source: x",
      "    controlplane: y",
      "  - source: z",
    ].join("\n");
    const problems = problemsOf({
      file,
      env: { ISOCHRON_LOG_LEVEL: "loud", ISOCHRON_PORT: "tcp://10.0.0.1:4400" },
      flags: { time_zone: "Mars/Olympus", server: "ftp://x" },
    });
    expect(problems.map(({ where }) => where).toSorted()).toEqual([
      "--server",
      "--tz",
      "ISOCHRON_LOG_LEVEL",
      "ISOCHRON_PORT",
      "isochron.yaml:1 port",
      "isochron.yaml:2 colour",
      "isochron.yaml:3 secret",
      "isochron.yaml:5 connections[0].name",
      "isochron.yaml:7 connections[0].controlplane",
      "isochron.yaml:8 connections[1].name",
    ]);
    for (const { what, write } of problems) expect(what + write).not.toContain("hunter2");
    for (const { write } of problems) expect(write.length).toBeGreaterThan(4);
    expect(problems.find(({ where }) => where === "ISOCHRON_PORT")?.what).toContain("Kubernetes");
  });

  test("a file that is no YAML, or is not there, is a problem with its line", () => {
    expect(problemsOf({ file: "port: 1\nhost: [\n" })[0]?.where).toBe("isochron.yaml:3");
    expect(problemsOf({ file: "- a\n" })[0]).toMatchObject({ what: "holds no settings" });
    expect(problemsOf({ flags: { config: "nowhere.yaml" } })[0]?.what).toContain("ENOENT");
    expect(problemsOf({ env: { ISOCHRON_CONFIG: "nowhere.yaml" } })).toHaveLength(1);
  });

  test("a source is asked as much as its connection's limits say, and no more by an unknown one", () => {
    const withLimits = (limits: string) => `connections:\n  - {name: a, source: nova, limits: ${limits}}\n`;
    const { connections } = load({ file: withLimits("{requests_per_second: 0.5}") });
    expect(connections[0]!.limits).toEqual({ requestsPerSecond: 0.5, requestsAtOnce: 4 });
    for (const wrong of ["{requests_per_second: 0}", "{requests_at_once: 1.5}", "{rps: 1}"])
      expect(() => load({ file: withLimits(wrong) })).toThrow("1 problem");
  });

  test("customers are checked with everything else, each problem with its line", () => {
    const file = "port: 99999\ncustomers:\n  - id: acme\n    name: Acme\n    members:\n      - domian: d1\n";
    expect(problemsOf({ file }).map(({ where, what }) => `${where} ${what}`)).toEqual([
      "isochron.yaml:1 port is 99999",
      "isochron.yaml:6 customers[0].members[0].domian is not a setting",
    ]);
    const twice =
      "customers:\n  - {id: a, name: A, members: [{domain: d}]}\n  - {id: b, name: B, members: [{domain: d}]}\n";
    expect(problemsOf({ file: twice }).map(({ where, what }) => `${where} ${what}`)).toEqual([
      "isochron.yaml:3 customers[1].members[0] lists domain d of default, which is a's",
    ]);
  });

  test("each connection is checked against its own source", () => {
    const sources = new Map([["nova", { config: z.strictObject({ url: z.string() }) }]]);
    const file = "connections:\n  - {name: a, source: nova, config: {url: 1}}\n  - {name: a, source: nope}\n";
    expect(problemsOf({ file, sources }).map(({ where, what }) => `${where} ${what}`)).toEqual([
      expect.stringContaining("isochron.yaml:2 connections[0].config.url"),
      'isochron.yaml:3 connections[1].name "a" is there twice',
      'isochron.yaml:3 connections[1].source "nope" is no source',
    ]);
    const good = "connections:\n  - {name: a, source: nova, control_plane: r1, config: {url: u}}\n";
    expect(load({ file: good, sources }).connections).toMatchObject([
      {
        name: "a",
        source: "nova",
        controlPlane: "r1",
        enabled: true,
        intervalSeconds: 60,
        stormThreshold: 200,
        config: { url: "u" },
      },
    ]);
  });

  test("the names that what is decided here goes by are no connection's and no cloud's", () => {
    const file =
      "connections:\n  - {name: isochron, source: nova}\n  - {name: a, source: nova, control_plane: isochron}\n  - {name: isochron@r1, source: nova}\n";
    expect(problemsOf({ file })).toEqual([
      {
        where: "isochron.yaml:2 connections[0].name",
        what: '"isochron" is kept for what is decided here',
        write: "another name",
      },
      expect.objectContaining({ where: "isochron.yaml:3 connections[1].control_plane" }),
      expect.objectContaining({ where: "isochron.yaml:4 connections[2].name" }),
    ]);
  });

  test("the demo takes neither store nor connections from a file", () => {
    const file =
      "data: /precious\ndatabase_url: postgres://h/d\nconnections: [{name: a, source: nova}]\nport: 9\n";
    const config = load({ file, demo: true });
    expect(config).toMatchObject({ data: "/h/.local/share/isochron/demo", connections: [], port: 9 });
    expect(config.databaseUrl).toBeUndefined();
    expect(load({ demo: true, flags: { data: "here" } }).data).toBe(join(cwd, "here"));
  });

  test("the store that is named with more weight puts the other one aside", () => {
    const url = "postgres://db/isochron";
    const env = { HOME: "/h", ISOCHRON_DATABASE_URL: url };
    const byFlag = load({ env, flags: { data: "/mine" } });
    expect(byFlag.data).toBe("/mine");
    expect(byFlag.databaseUrl).toBeUndefined();
    const byEnv = load({ env: { HOME: "/h", ISOCHRON_DATA: "/mine" }, file: `database_url: ${url}\n` });
    expect(byEnv.data).toBe("/mine");
    expect(byEnv.databaseUrl).toBeUndefined();
    const byUrl = load({ env: { HOME: "/h", ISOCHRON_DATA: "/mine" }, flags: { database_url: url } });
    expect(byUrl.databaseUrl).toBe(url);
    expect(load({ env, file: "data: /mine\n" }).databaseUrl).toBe(url);
  });

  test("two stores named in one place are a problem, unless something weightier decides", () => {
    const url = "postgres://db/isochron";
    const env = { ISOCHRON_DATA: "/mine", ISOCHRON_DATABASE_URL: url };
    expect(problemsOf({ env })[0]?.where).toBe("ISOCHRON_DATA and ISOCHRON_DATABASE_URL");
    expect(problemsOf({ flags: { data: "/mine", database_url: url } })[0]?.where).toBe(
      "--data and --database-url",
    );
    expect(problemsOf({ file: `data: /mine\ndatabase_url: ${url}\n` })[0]?.where).toContain(
      "isochron.yaml:1",
    );
    expect(load({ env, flags: { data: "/other" } }).data).toBe("/other");
  });

  test("the demo goes into a database of the command line only", () => {
    const url = "postgres://db/isochron";
    const env = { HOME: "/h", ISOCHRON_DATABASE_URL: url };
    expect(load({ env, demo: true }).databaseUrl).toBeUndefined();
    expect(load({ env, demo: true, flags: { database_url: url } }).databaseUrl).toBe(url);
  });

  test("a name in the environment that only looks like ours is a warning", () => {
    const env = { ISOCHRON_DATABSE_URL: "x", ISOCHRON_SERVICE_HOST: "10.0.0.1", ISOCHRON_PORT_4400_TCP: "x" };
    expect(load({ env }).warnings).toEqual([
      "ISOCHRON_DATABSE_URL is not a setting of Isochron, so it has no effect",
    ]);
  });
});

describe("secrets", () => {
  test("a reference is looked up, and never written out", () => {
    writeFileSync(join(cwd, "key"), "s3cret\n");
    expect(resolveSecret(`file:${join(cwd, "key")}`)).toBe("s3cret");
    expect(resolveSecret("env:KEY", { KEY: "s3cret" })).toBe("s3cret");
    for (const reference of ["s3cret", "env:KEY", "file:/nowhere"]) {
      expect(() => resolveSecret(reference, {})).toThrow(IsochronError);
    }
    expect(() => resolveSecret("hunter2", {})).toThrow(expect.not.stringContaining("hunter2"));
  });

  test("the database's address may be a reference", () => {
    const env = { DB: "postgres://u:p@h/d", ISOCHRON_DATABASE_URL: "env:DB" };
    expect(load({ env }).databaseUrl).toBe("postgres://u:p@h/d");
    expect(problemsOf({ env: { ISOCHRON_DATABASE_URL: "env:NONE" } })).toHaveLength(1);
    expect(
      JSON.stringify(problemsOf({ env: { ISOCHRON_DATABASE_URL: "mysql://u:hunter2@h" } })),
    ).not.toContain("hunter2");
  });
});

test("the terminal's habits come from the locale and NO_COLOR", () => {
  expect(readTerminal({ LANG: "C.UTF-8" })).toEqual({ colour: true, utf8: true });
  expect(readTerminal({ LANG: "en_US.utf8", LC_ALL: "C", NO_COLOR: "1" })).toEqual({
    colour: false,
    utf8: false,
  });
  expect(readTerminal({ TERM: "dumb" })).toEqual({ colour: false, utf8: false });
});
