import { stripVTControlCharacters } from "node:util";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { eventJson, pageJson, runCanned } from "../../../test/cli-host.ts";

const events = [
  eventJson(),
  eventJson({
    id: "e2",
    occurred_at: "2024-08-02T10:35:07.250Z",
    precision_ms: 0,
    kind: "symptom",
    severity: "critical",
    subject: { kind: "component", id: "core-apis", name: "Core APIs" },
    summary: "=cmd|' /C calc'!A0\nThe main API components crashed",
  }),
];
const answers = { "/events": pageJson(events) };

describe("events", () => {
  test("a table has one heading that tells the zone and its offset", async () => {
    const run = await runCanned(["events", "--tz", "Europe/Paris"], { answers });
    expect(run.stdout).toBe(
      [
        "TIME (Europe/Paris, UTC+02:00)  ±   KIND       SEV       COMPONENT     WHAT",
        "2024-08-02 12:06                1m  ◆ change   info      server web-3  Server web-3 was created",
        "2024-08-02 12:35:07.250             ▲ symptom  critical  Core APIs     =cmd|' /C calc'!A0 The main API components crashed",
        "",
      ].join("\n"),
    );
    expect(run.stderr).toBe("2 events. 1 of 1 source complete.\n");
    expect(run).toMatchObject({ code: 0, closed: 1, viewers: [{ viewer: { kind: "provider" } }] });
  });

  test("over a change of clocks each row tells its own offset", async () => {
    const both = [
      eventJson({ occurred_at: "2024-03-31T00:59:00.000Z" }),
      eventJson({ occurred_at: "2024-03-31T01:01:00.000Z" }),
    ];
    const run = await runCanned(["events", "--tz", "Europe/Paris"], {
      answers: { "/events": pageJson(both) },
    });
    expect(run.stdout).toContain("TIME (Europe/Paris)");
    expect(run.stdout).toContain("2024-03-31 01:59+01:00");
    expect(run.stdout).toContain("2024-03-31 03:01+02:00");
  });

  test.each([
    ["Asia/Kolkata", "UTC+05:30", "2024-08-02 15:36"],
    ["America/St_Johns", "UTC-02:30", "2024-08-02 07:36"],
    ["UTC", "TIME (UTC)", "2024-08-02 10:06"],
  ])("times are shown in %s", async (zone, heading, time) => {
    const run = await runCanned(["events", "--tz", zone], { answers });
    expect(run.stdout).toContain(heading);
    expect(run.stdout).toContain(time);
  });

  test("outside UTF-8 the signs become letters", async () => {
    const run = await runCanned(["events"], { answers, utf8: false });
    expect(run.stdout).toContain("C change");
    expect(run.stdout).toContain("S symptom");
    expect(run.stdout + run.stderr).toMatch(/^[\x20-\x7e\n]*$/);
  });

  test("a terminal gets colour and whole lines, a pipe neither colour nor cuts", async () => {
    const narrow = await runCanned(["events"], { answers, terminalColumns: 90 });
    expect(narrow.stdout).toContain("\u001b[");
    const plain = stripVTControlCharacters(narrow.stdout);
    for (const line of plain.split("\n")) expect(line.length).toBeLessThanOrEqual(90);
    expect(plain).toContain("…");
    const uncoloured = await runCanned(["events"], { answers, terminalColumns: 90, colour: false });
    expect(uncoloured.stdout).not.toContain("\u001b");
    const forced = await runCanned(["events", "--color", "always"], { answers });
    expect(forced.stdout).toContain("\u001b[");
    expect(forced.stdout).toContain("The main API components crashed");
  });

  test("columns line up under wide characters and in colour", async () => {
    const wide = [
      eventJson({ subject: { kind: "component", id: "c", name: "日本語" }, summary: "x" }),
      eventJson({ summary: "x" }),
    ];
    const run = await runCanned(["events", "--color", "always"], { answers: { "/events": pageJson(wide) } });
    const [, first, second] = stripVTControlCharacters(run.stdout).split("\n");
    expect(first?.indexOf("x")).toBe(second!.indexOf("x") - 3);
  });

  test("ndjson is the API's event, one per line, with coverage on standard error", async () => {
    const run = await runCanned(["events", "-o", "ndjson"], { answers });
    expect(
      run.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
    expect(run.stderr).toContain("1 of 1 source complete.");
  });

  test("json is one object with window, coverage, total and cursor", async () => {
    const run = await runCanned(["events", "--since", "2h", "-o", "json"], { answers });
    expect(JSON.parse(run.stdout)).toEqual({
      events,
      window: { from: "2024-08-02T10:00:00.000Z", to: null, time_zone: "UTC" },
      coverage: pageJson(events).coverage,
      total: 2,
      next_cursor: null,
    });
  });

  test("csv can be read back, and no cell is a formula", async () => {
    const run = await runCanned(["events", "-o", "csv", "--tz", "Asia/Kolkata"], { answers });
    expect(run.stdout.endsWith("\r\n")).toBe(true);
    const rows = parse(run.stdout, { columns: true }) as Record<string, string>[];
    expect(rows[1]).toMatchObject({
      id: "e2",
      occurred_at: "2024-08-02T10:35:07.250Z",
      occurred_at_local: "2024-08-02T16:05:07.250+05:30",
      kind: "symptom",
      subject_name: "Core APIs",
      summary: "'=cmd|' /C calc'!A0\nThe main API components crashed",
    });
  });

  test("Markdown is a table", async () => {
    const run = await runCanned(["events", "-o", "md"], { answers });
    expect(run.stdout.split("\n")[1]).toMatch(/^\|( --- \|)+$/);
    expect(run.stdout).toContain("=cmd\\|' /C calc'!A0 The main API components crashed");
  });

  test("all filters reach the API, and an ambiguous time is said aloud", async () => {
    const run = await runCanned(
      `events --around 10:06 --window 10m --tz Europe/Paris -t 4f1c0b7e9a3d4b7f8a5e6c2d1b0a9f8e -p default -r server/6f3c --kind change,symptom --severity warning --source a -q disk -n 5`.split(
        " ",
      ),
      { answers },
    );
    expect(run.stderr).toContain('reading "10:06" as 2024-08-02T10:06:00+02:00 (--tz Europe/Paris)\n');
    expect(Object.fromEntries(new URLSearchParams(run.asked[0]!.split("?")[1]))).toEqual({
      tenant: "4f1c0b7e9a3d4b7f8a5e6c2d1b0a9f8e",
      project: "default",
      resource: "server/6f3c",
      kind: "change,symptom",
      severity: "warning",
      source: "a",
      q: "disk",
      from: "2024-08-02T07:56:00.000Z",
      to: "2024-08-02T08:16:00.000Z",
      order: "oldest",
      limit: "5",
    });
  });

  test("a tenant's name is looked up, and never guessed", async () => {
    const tenants = {
      tenants: [
        { control_plane: "a", domain_id: "d1", domain_name: "ACME" },
        { control_plane: "a", domain_id: "d2", domain_name: "Twice" },
        { control_plane: "b", domain_id: "d3", domain_name: "Twice" },
      ],
    };
    const known = await runCanned(["events", "-t", "ACME"], { answers: { ...answers, "/tenants": tenants } });
    expect(known.stderr).toContain('reading "ACME" as domain d1');
    expect(known.asked[1]).toContain("tenant=d1");
    const twice = await runCanned(["events", "-t", "Twice"], {
      answers: { ...answers, "/tenants": tenants },
    });
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain("d2, d3");
  });

  test("--all goes through every page, oldest first", async () => {
    const paged = (url: URL) =>
      url.searchParams.get("cursor") === null ? pageJson([events[0]!], "c2") : pageJson([events[1]!]);
    const run = await runCanned(["events", "--all", "-o", "ndjson"], { answers: { "/events": paged } });
    expect(run.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(run.asked).toEqual([
      "/events?order=oldest&limit=2000",
      "/events?order=oldest&limit=2000&cursor=c2",
    ]);
  });

  test("what is left out is said", async () => {
    const run = await runCanned(["events", "-n", "2"], { answers: { "/events": pageJson(events, "more") } });
    expect(run.stderr).toBe("2 events, and there are more: raise -n or use --all. 1 of 1 source complete.\n");
    const json = await runCanned(["events", "-n", "2", "-o", "json"], {
      answers: { "/events": pageJson(events, "more") },
    });
    expect(JSON.parse(json.stdout)).toMatchObject({ total: null, next_cursor: "more" });
  });

  test("nothing found is no failure, and quiet is told from filtered out", async () => {
    const none = { "/events": pageJson([]) };
    expect(await runCanned(["events"], { answers: none })).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "No events. 1 of 1 source complete.\n",
    });
    expect((await runCanned(["events", "--severity", "error"], { answers: none })).stderr).toMatch(
      /^No events match\./,
    );
  });

  test("--strict ends with 3 where a source was incomplete in the window", async () => {
    const late = { "/events": pageJson(events, null, "2024-08-02T11:00:00.000Z") };
    expect((await runCanned(["events", "--strict"], { answers: late })).code).toBe(3);
    expect((await runCanned(["events"], { answers: late })).code).toBe(0);
    const before = ["events", "--strict", "--to", "2024-08-02T11:00:00Z"];
    expect((await runCanned(before, { answers: late })).code).toBe(0);
  });

  test("-w goes on with what is stored after what was shown, each event once", async () => {
    const frame = (event: unknown) => `id: x\nevent: event\ndata: ${JSON.stringify(event)}\n\n`;
    const live = [":\n\n", frame(events[1]), frame(eventJson({ id: "e3", summary: "New" }))];
    const run = await runCanned(["events", "-w", "-o", "ndjson"], { answers, live });
    const ids = run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids).toEqual(["e2", "e1", "e3"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("The live stream has ended.");
  });

  test("-w takes back what is no longer to be seen: a line of its own where there are lines, beside where there are rows", async () => {
    const live = [`event: retracted\ndata: {"id":"e2"}\n\n`];
    const print = (format: string) => runCanned(["events", "-w", "-o", format], { answers, live });
    expect((await print("ndjson")).stdout).toMatch(/\n\{"retracted":"e2"\}\n$/);
    expect((await print("table")).stdout).toMatch(/\n- e2\n$/);
    const rows = await print("csv");
    expect(rows.stdout.trimEnd().split("\r\n")).toHaveLength(3);
    expect(rows.stderr).toContain("retracted: e2");
  });

  test("a tenant's eyes are asked for by its id", async () => {
    const run = await runCanned(["events", "--as-project", "p1", "--control-plane", "lab"], { answers });
    expect(run.viewers).toEqual([{ viewer: { kind: "project", controlPlane: "lab", projectId: "p1" } }]);
  });
});
