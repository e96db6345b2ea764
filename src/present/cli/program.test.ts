import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { eventJson, nothing, runCanned } from "../../../test/cli-host.ts";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Host } from "./application.ts";
import { exitCodeOf } from "./exit-code.ts";
import { createProgram } from "./program.ts";
import { Run } from "./run.ts";

describe("exit codes", () => {
  test.each([
    ["", "no command"],
    ["nope", "an unknown command"],
    ["events --nope", "an unknown option"],
    ["events --kind change,storm", "an unknown kind"],
    ["events -n 0", "a count of nothing"],
    ["events --since 2", "a length without unit"],
    ["events --from 25:00", "a time that is none"],
    ["events --from now --to -1h", "a window turned round"],
    ["events --since 2h --from now", "two windows"],
    ["events -w -o json", "a document without end"],
    ["events -r server", "a resource without id"],
    ["else", "nothing to look back from"],
    ["else server/1 --window 2d", "a window beyond a day"],
    ["import x.json", "an import without source"],
    ["import --source nope x.json", "an unknown source"],
    ["import --source post-mortem --timezone Mars/Olympus x.md", "an unknown zone"],
    ["token create --name x", "a token for nothing"],
    ["token create --name x --provider --domain d", "a token for two things"],
    ["token create --name x --domain=", "a token for a domain without id"],
    ["token create --name x --project=", "a token for a project without id"],
    ["token create --name x --ingest=", "a token for a connection without name"],
    ["token create --name= --provider", "a token without name"],
    ["harvest", "a harvest of nothing"],
    ["harvest nope", "a connection that no file describes"],
    ["harvest --cloud x", "a cloud without source"],
    ["reconcile", "a comparison of nothing"],
    ["reconcile nope", "a comparison of a connection that no file describes"],
    ["reconcile --hours 0", "a comparison of no time"],
    ["completion tcsh", "an unknown shell"],
  ])("2 for `%s`: %s", async (line) => {
    const run = await runCanned(line === "" ? [] : line.split(" "), { answers: {} });
    expect(run.code).toBe(2);
    expect(run.stdout).toBe("");
    expect(run.stderr).not.toBe("");
  });

  test("0 for help and version, on standard output", async () => {
    for (const line of ["--help", "help", "events --help", "token create --help", "--version"]) {
      const run = await runCanned(line.split(" "));
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(run.stdout).not.toBe("");
    }
  });

  test("5 for what is not there or not visible", async () => {
    for (const line of ["show e9", "why e9", "else e9", "resource server/9"]) {
      const run = await runCanned(line.split(" "), { answers: {} });
      expect(run).toMatchObject({
        code: 5,
        stdout: "",
        stderr: "isochron: There is no such thing.\nCheck the id.\n",
      });
    }
  });

  test("4 for who is not signed in, 1 for what cannot be reached", () => {
    expect(exitCodeOf(new IsochronError("not-signed-in", "", ""))).toBe(4);
    expect(exitCodeOf(new IsochronError("store-unavailable", "", ""))).toBe(1);
    expect(exitCodeOf(new IsochronError("config-invalid", "", ""))).toBe(2);
    expect(exitCodeOf(new TypeError("a bug"))).toBe(1);
  });

  test("130 for what was interrupted", async () => {
    const run = await runCanned(["events"], { signal: AbortSignal.abort(), answers: {} });
    expect(run).toMatchObject({ code: 130, stdout: "" });
  });
});

describe("help", () => {
  const host = { version: "0", sources: ["a"] } as unknown as Host;
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

  test("every command has a summary, a description and examples", async () => {
    for (const command of leaves(createProgram(new Run(host)))) {
      const path: string[] = [];
      for (let at: Command | null = command; at?.parent; at = at.parent) path.unshift(at.name());
      expect(command.summary()).not.toBe("");
      const { stdout } = await runCanned([...path, "--help"]);
      expect(stdout).toContain(`$ `);
      expect(stdout).toContain("Examples:");
      expect(stdout).toContain(`isochron ${path.join(" ")}`);
    }
  });

  test("ids of events are shown as they are", async () => {
    for (const name of ["show", "why", "else"]) {
      expect((await runCanned([name, "--help"])).stdout).toMatch(
        new RegExp(`isochron ${name} evt_[a-z2-7]{26}\\b`),
      );
    }
  });

  test("the way from here to every exit code is told", async () => {
    const { stdout } = await runCanned(["--help"]);
    for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(stdout).toMatch(new RegExp(`^ +${code}  `, "m"));
  });
});

describe("reading one event", () => {
  const event = eventJson({
    summary: "Evil \u001b]0;title\u0007 name",
    changes: [{ field: "host", before: "a", after: "b" }],
  });

  test("show tells both clocks with their offset, and obeys nothing", async () => {
    const run = await runCanned(["show", "e1", "--tz", "Asia/Kolkata"], { answers: { "/events/e1": event } });
    expect(run.stdout).toContain("2024-08-02T15:36:00+05:30 ±1m (Asia/Kolkata)");
    expect(run.stdout).toContain("2024-08-02T15:36:02.500+05:30");
    expect(run.stdout).toContain('host: "a" → "b"');
    expect(run.stdout).not.toContain("\u001b");
  });

  test("show --raw is the API's event on one line", async () => {
    const run = await runCanned(["show", "e1", "--raw"], { answers: { "/events/e1": event } });
    expect(run.stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(run.stdout)).toEqual(event);
  });

  test("show --members lists what a storm's event stands for, up to the limit, and says where there is more", async () => {
    const members = { events: [event, { ...event, id: "e2" }], next_cursor: "more" };
    const answers = { "/events/e1/members": members };
    const run = await runCanned(["show", "e1", "--members", "-n", "2", "-o", "ndjson"], { answers });
    expect(
      run.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).id),
    ).toEqual(["e1", "e2"]);
    expect(run.stderr).toContain("more than these 2");
    const alone = { "/events/e1/members": { events: [], next_cursor: null } };
    const single = await runCanned(["show", "e1", "--members"], { answers: alone });
    expect(single.stderr).toContain("stands for itself");
  });
});

describe("taking in", () => {
  const ingested = {
    ...nothing,
    records: 100,
    created: 60,
    folded: 30,
    repeated: 5,
    factsOnly: 2,
    setAside: 3,
  };
  const file = new URL(import.meta.url).pathname;

  test("import prints a sum that adds up, and warns of what was set aside", async () => {
    const run = await runCanned(["import", "--source", "post-mortem", file], { ingested });
    expect(run.stdout).toBe(
      `${file}: created 60 + folded 37 (of which repeated 5, topology only 2) + set aside 3 = 100 records\n`,
    );
    expect(run.stderr).toBe(
      "warning: 3 records were set aside; see them with: isochron sources post-mortem\n",
    );
    expect(run).toMatchObject({ code: 0, closed: 1 });
  });

  test("a zone that is given for a document's times is told, and handed on", async () => {
    const line = ["import", "--source", "post-mortem", "--timezone", "Europe/Paris", file];
    const run = await runCanned(line);
    expect(run.stderr).toContain("read as Europe/Paris");
    expect(run.imports).toMatchObject([{ timeZone: "Europe/Paris" }]);
    expect((await runCanned(["import", "--source", "post-mortem", file])).imports[0]).not.toHaveProperty(
      "timeZone",
    );
  });

  test("the way to what was set aside leads into the same store, and tells no password", async () => {
    const base = ["import", "--source", "post-mortem"];
    const own = await runCanned([...base, "--data", "/my data", "--config", "c.yaml", file], { ingested });
    expect(own.stderr).toContain("isochron sources post-mortem --data '/my data' --config c.yaml\n");
    const other = await runCanned([...base, "--database-url", "postgres://u:pw@h/d", file], { ingested });
    expect(other.stderr).toContain("isochron sources post-mortem --database-url URL\n");
  });

  test("--strict makes what was set aside a failure", async () => {
    const run = await runCanned(["import", "--source", "post-mortem", "--strict", file], { ingested });
    expect(run.code).toBe(1);
  });

  test("several files are summed, as JSON too", async () => {
    const run = await runCanned(["import", "--source", "post-mortem", "-o", "json", file, file], {
      ingested,
    });
    expect(JSON.parse(run.stdout)).toMatchObject({ records: 200, created: 120, folded: 74, set_aside: 6 });
  });

  test("an unreadable file stops the import before anything is opened", async () => {
    const run = await runCanned(["import", "--source", "post-mortem", file, "/nowhere/at.all"], { ingested });
    expect(run).toMatchObject({ code: 1, closed: 0, stdout: "" });
    expect(run.stderr).toContain("/nowhere/at.all cannot be read (ENOENT)");
  });

  test("a harvest without configuration describes its own connection", async () => {
    const line =
      "harvest --source openstack-notifications --cloud lab --connection n@lab --control-plane lab";
    const run = await runCanned(line.split(" "), { ingested, settings: { connections: [named("n@lab")] } });
    expect(run.setups[0]?.extra).toEqual({
      name: "n@lab",
      source: "openstack-notifications",
      controlPlane: "lab",
      config: { cloud: "lab" },
    });
    expect(run.stdout).toMatch(/^n@lab: created 60/);
  });
});

function named(name: string) {
  return { name, source: "openstack-notifications", controlPlane: "lab", enabled: true };
}

describe("tokens", () => {
  test("a token is printed once, alone, and only its hash is handed on", async () => {
    const run = await runCanned(["token", "create", "--name", "x", "--domain", "d1", "--expires", "30d"], {
      now: instant(0),
    });
    expect(run.stdout).toMatch(/^iso_[A-Za-z0-9_-]{43}\n$/);
    expect(run.stderr).not.toContain("iso_");
    const [token] = run.tokens;
    expect(token).toMatchObject({
      name: "x",
      scope: { kind: "domain", controlPlane: "default", domainId: "d1" },
      expiresAt: 30 * 86_400_000,
    });
    const { createHash } = await import("node:crypto");
    expect(token?.hash).toEqual(createHash("sha256").update(run.stdout.trim()).digest());
  });

  test("a token for a connection that nobody configured is made with a warning", async () => {
    const create = (name: string) => runCanned(["token", "create", "--name", "x", "--ingest", name]);
    expect((await create("alertmanager")).stderr).not.toContain("warning");
    const unknown = await create("alertmanger");
    expect(unknown.code).toBe(0);
    expect(unknown.stderr).toContain("warning: no connection is called alertmanger here");
  });

  test("a token may do the least that its scope has, unless a role of that scope is told", async () => {
    const made = async (words: string) => {
      const run = await runCanned(["token", "create", "--name", "x", ...words.split(" ")]);
      return run.code === 0 ? run.tokens[0]?.scope : run.code;
    };
    const domain = { kind: "domain", controlPlane: "default", domainId: "d" };
    expect(await made("--provider")).toEqual({ kind: "provider", role: "operator" });
    expect(await made("--provider --role auditor")).toEqual({ kind: "provider", role: "auditor" });
    expect(await made("--domain d")).toEqual({ ...domain, role: "reader" });
    expect(await made("--domain d --role admin")).toEqual({ ...domain, role: "admin" });
    expect(await made("--ingest c")).toEqual({ kind: "ingest", connection: "c" });
    for (const words of [
      "--domain d --role operator",
      "--provider --role reader",
      "--ingest c --role admin",
    ]) {
      expect(await made(words)).toBe(2);
    }
  });

  test("what the roles may do is told where a token is made, and which one each has where they are listed", async () => {
    const { stdout } = await runCanned(["token", "create", "--help"]);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("posts records to every connection");
  });

  test("a token that is not there cannot be revoked", async () => {
    expect((await runCanned(["token", "revoke", "t1"])).code).toBe(0);
    expect((await runCanned(["token", "revoke", "t2"])).code).toBe(5);
  });
});

describe("looking after", () => {
  test("doctor --digest prints the digest alone", async () => {
    expect(await runCanned(["doctor", "--digest"])).toMatchObject({
      code: 0,
      stdout: "d1963e57\n",
      stderr: "",
    });
  });

  test("doctor looks at Node, folder, address, PostgreSQL, schema and sources", async () => {
    const sources = {
      "/sources": { connections: [connection("failing")], set_aside: [] },
      "/notification-rules": { rules: [] },
    };
    const settings = { data: "/", port: 0 };
    const run = await runCanned(["doctor"], { answers: sources, settings });
    expect(run.code).toBe(1);
    for (const name of ["Node", "address", "PostgreSQL", "schema", "source nova"])
      expect(run.stdout).toContain(name);
  });

  test("sources lists the connections, and with a name what was set aside", async () => {
    const aside = {
      id: "1",
      connection: "nova",
      position: "line 12",
      code: "record-invalid",
      reason: "not JSON",
      received_at: "2024-08-02T10:00:00Z",
      attempts: 1,
      excerpt: "{",
    };
    const answers = { "/sources": { connections: [connection("running")], set_aside: [aside] } };
    const all = await runCanned(["sources"], { answers });
    expect(all.stdout).toMatch(/^nova +running +2024-08-02T11:59:00Z +1 min +7 +2 +1 +1$/m);
    expect(all.stdout).not.toContain("line 12");
    expect(all.stderr).toContain("nova: late-commit: 3 events came after all. Records became readable later");
    expect(all.stderr).toContain(
      "nova: events may be missing from 2024-08-02T09:00:00Z to 2024-08-02T09:20:00Z",
    );
    const one = await runCanned(["sources", "nova"], { answers });
    expect(one.stdout).toMatch(/^line 12 +record-invalid +not JSON$/m);
    expect((await runCanned(["sources", "cinder"], { answers })).code).toBe(5);
  });

  test("set-aside records are listed in the order of their file", async () => {
    const positions = ["line 10", "line 2", "line 1"];
    const aside = positions.map((position) => ({
      id: position,
      connection: "nova",
      position,
      code: "record-invalid",
      reason: "not JSON",
      received_at: "2024-08-02T10:00:00Z",
      attempts: 1,
      excerpt: "{",
    }));
    const answers = { "/sources": { connections: [connection("running")], set_aside: aside } };
    const { stdout } = await runCanned(["sources", "nova"], { answers });
    expect(stdout.match(/^line \d+/gm)).toEqual(["line 1", "line 2", "line 10"]);
  });

  test("a replay of a connection that is not there is told as such", async () => {
    const run = await runCanned(["sources", "gone", "--replay"]);
    expect(run).toMatchObject({ code: 5, stdout: "", closed: 1 });
    expect(run.stderr).toContain('No connection is called "gone"');
  });

  test("a server without built pages says how to build them", async () => {
    const signal = AbortSignal.abort();
    const bare = await runCanned(["serve"], { signal, webPages: false });
    expect(bare.stderr).toContain("npm run build:web");
    expect((await runCanned(["serve"], { signal })).stderr).not.toContain("build:web");
  });

  test("a replay belongs where the store is", async () => {
    const run = await runCanned(["sources", "nova", "--replay"], { settings: { server: "http://there" } });
    expect(run.code).toBe(2);
  });
});

function connection(state: string) {
  return {
    connection: "nova",
    source: "openstack-notifications",
    control_plane: "lab",
    state,
    complete_to: "2024-08-02T11:59:00Z",
    lag_ms: 60_000,
    last_event_at: null,
    last_success_at: null,
    last_error: null,
    holes: [
      {
        from: "2024-08-02T09:00:00Z",
        to: "2024-08-02T09:20:00Z",
        reason: "late-commit",
        says: "3 events came after all.",
      },
    ],
    findings: [
      {
        code: "late-commit",
        means: "Records became readable later than the source promises.",
        says: "3 events came after all.",
        since: "2024-08-02T10:00:00Z",
        last_at: "2024-08-02T10:00:00Z",
        count: 1,
      },
    ],
    last_heard_at: "2024-08-02T11:59:30Z",
    expect_within_ms: 120_000,
    reconciled: null,
    contract: null,
    counts: { events: 7, folded: 2, repeated: 0, revised: 0, set_aside: 1, late: 3 },
  };
}
