import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCanned } from "../../../test/cli-host.ts";

const id = "inc_4f1c0b7e9a3d4b7f8a5e6c2d1b";
const at = "2026-11-20T10:00:00.000Z";
const incident = {
  id,
  origin: "hand",
  title: "Servers cannot be built",
  severity: "critical",
  state: "draft",
  from: at,
  to: null,
  opened_at: at,
  opened_by: "viewer",
  version: 7,
  pins: 1,
  pinned: [{ event: "evt_1", by: "viewer" }],
  things: [{ id: "api", name: "Compute API" }],
  times: [],
  sections: [],
  tell: [],
  rows: [],
  log: [],
  reviewed: null,
  published: null,
};
const absent = { outcome: "absent", missing: ["event"] };
const dossier = {
  kind: "dossier",
  incident,
  pins: [{ event: "evt_1", by: "viewer", state: "withheld" }],
  times: [
    {
      thing: { id: "api", name: "Compute API" },
      standing: [
        {
          thing: "api",
          time: "detection",
          at,
          precision_ms: 0,
          provenance: { kind: "inferred", rule: "first-alert/1", says: "the first alert" },
        },
      ],
      inferred: [],
      lengths: {
        detect: absent,
        decide: { outcome: "measured", length_ms: 4_320_000, precision_ms: 90_000, unordered: false },
        resolve: absent,
        total: absent,
      },
    },
  ],
  checks: [{ code: "time-missing", severity: "blocks", says: "Nobody knows when it began.", where: {} }],
};
const path = `/incidents/${id}`;
const answers = { [path]: dossier, [`${path}/entries`]: incident };

test("an incident is shown with its times, how each is known, its pins and what is to be mended", async () => {
  const run = await runCanned(["incident", "show", id, "--tz", "UTC"], { answers });
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/api\s+detection\s+2026-11-20T10:00:00\S*\s+inferred by first-alert\/1/);
  expect(run.stdout).toMatch(/api\s+event\s+not known/);
  expect(run.stdout).toContain("withheld");
  expect(run.stderr).toContain("to decide 1 h 12 min ± 1 min 30 s");
  expect(run.stderr).toContain("Before it is published: Nobody knows when it began.");
});

test("through a tenant's eyes it prints what the tenant was told", async () => {
  const edition = {
    kind: "edition",
    id,
    edition: 1,
    published_at: at,
    title: "Servers were away",
    markdown: "# Servers were away",
    hash: "0".repeat(64),
    intact: true,
  };
  const run = await runCanned(["incident", "show", id, "--as-project", "p1"], {
    answers: { [path]: edition },
  });
  expect(run.stdout).toBe("# Servers were away\n");
  expect(run.stderr).toContain(`Edition 1 of ${at} with the hash ${"0".repeat(64)}.`);
});

test.each([
  [
    ["pin", id, "evt_1", "evt_2"],
    [
      { kind: "pin", event: "evt_1" },
      { kind: "pin", event: "evt_2" },
    ],
  ],
  [["note", id, "seen"], [{ kind: "note", text: "seen" }]],
  [
    ["note", id, "later", "--amendment", "tenant"],
    [{ kind: "amendment", text: "later", audience: "tenant" }],
  ],
  [
    ["decide", id, "evacuate", "--at", at, "--thing", "api"],
    [{ kind: "decision", text: "evacuate", decided_at: at, thing: "api" }],
  ],
  [
    ["time", id, "api", "detection", at, "--precision", "1m", "--why", "the ticket"],
    [{ kind: "time", thing: "api", time: "detection", why: "the ticket", at, precision_ms: 60_000 }],
  ],
  ...(
    [
      ["2026-11-20T10:14Z", 60_000],
      ["2026-11-20T10:14:05Z", 1_000],
      ["2026-11-20T10:14:05.250Z", 0],
    ] as const
  ).map(([written, precision]): [string[], object[]] => [
    ["time", id, "api", "detection", written, "--why", "the ticket"],
    [
      {
        kind: "time",
        thing: "api",
        time: "detection",
        why: "the ticket",
        at: new Date(written).toISOString(),
        precision_ms: precision,
      },
    ],
  ]),
  [
    ["time", id, "api", "detection", "--clear", "--why", "wrong"],
    [{ kind: "clear-time", thing: "api", time: "detection", why: "wrong" }],
  ],
  [
    ["tell", id, "--project", "p1", "p2"],
    [{ kind: "tell", tenants: ["project/default/p1", "project/default/p2"] }],
  ],
  [["state", id, "reviewed"], [{ kind: "state", state: "reviewed" }]],
])("%j is written on top of the version that was read", async (args, changes) => {
  const run = await runCanned(["incident", ...args, "--tz", "UTC"], { answers });
  expect([run.stderr, run.code]).toEqual([expect.any(String), 0]);
  expect(run.sent).toEqual([
    { method: "POST", path: `${path}/entries`, payload: { expected_version: 7, changes } },
  ]);
});

test("what a command lacks is told before anything is written", async () => {
  for (const args of [
    ["pin", id, "evt_1", "--unpin"],
    ["time", id, "api", "detection", at],
    ["time", id, "api", "detection", "--why", "x"],
    ["time", id, "api", "noon", at, "--why", "x"],
    ["state", id, "finished"],
    ["export", id, "--audience", "tenant"],
    ["kpis"],
  ]) {
    const run = await runCanned(["incident", ...args], { answers });
    expect([args, run.code, run.sent]).toEqual([args, 2, []]);
  }
});

test("what is not there has its own exit code", async () => {
  expect((await runCanned(["incident", "show", "inc_none"], {})).code).toBe(5);
});

test("a document is imported with the zone that was given, and what cannot be used is told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isochron-incident-"));
  try {
    const file = join(folder, "notes.md");
    await writeFile(file, "- 10:06 it began\n");
    const aside = [{ line: 2, text: "| sometime |", code: "time-invalid", remedy: "Write a time." }];
    const imported = { incident, lines: 2, used: 1, without_time: 0, replaced: 0, set_aside: aside };
    const run = await runCanned(["incident", "import", file, "--time-zone", "Europe/Paris"], {
      answers: { "/incidents/import": imported },
    });
    expect(run.code).toBe(0);
    expect(run.sent).toMatchObject([
      {
        payload: {
          name: "notes.md",
          format: "markdown",
          text: "- 10:06 it began\n",
          time_zone: "Europe/Paris",
          dry_run: false,
        },
      },
    ]);
    expect(run.stderr).toContain("2 lines: 1 used, 0 without a time, 1 set aside.");
    expect(run.stderr).toContain("line 2: | sometime |: Write a time.");
    const { incident: _opened, ...nothing } = { ...imported, used: 0 };
    const failed = await runCanned(["incident", "import", file], {
      answers: { "/incidents/import": nothing },
    });
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining("Nothing was taken in.")]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a published document is checked against its hash without asking anybody", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isochron-incident-"));
  const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
  const frozen = { schema: "isochron.incident/1", title: "It failed", window: { from: at } };
  const hash = hashOf('{"schema":"isochron.incident/1","title":"It failed","window":{"from":"' + at + '"}}');
  const whole = { ...frozen, status: { state: "published", hash, amendments: [{ at, text: "later" }] } };
  const edition = { kind: "edition", id, edition: 1, markdown: "# Told\n", hash: hashOf("# Told\n") };
  try {
    for (const [document, code] of [
      [whole, 0],
      [edition, 0],
      [{ ...whole, title: "Nothing failed" }, 1],
      [{ ...edition, markdown: "# Told" }, 1],
      [{ ...whole, status: { state: "draft", amendments: [] } }, 2],
      [[], 2],
    ] as const) {
      const file = join(folder, "document.json");
      await writeFile(file, JSON.stringify(document));
      const run = await runCanned(["incident", "verify", file], {});
      expect([document, run.code, run.stderr]).toEqual([document, code, expect.any(String)]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
