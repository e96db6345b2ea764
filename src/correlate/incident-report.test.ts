import { describe, expect, test } from "vitest";
import {
  at,
  blueServer,
  entry,
  event,
  host,
  incident,
  mark,
  material,
  redServer,
  row,
  sampleMaterial,
  tenants,
} from "../../test/incident-sample.ts";
import { parseTenantKey } from "../model/tenant.ts";
import { assembleDossier, freezeTimes } from "./incident-assembly.ts";
import { compareAudiences, leavesOf } from "./incident-difference.ts";
import type { DossierEvent, DossierMaterial, ReportReader } from "./incident-dossier.ts";
import { exportIncident, hashReport, reportFormats } from "./incident-export.ts";
import type { IncidentReport } from "./incident-report.ts";
import { composeReport } from "./incident-report.ts";

const provider: ReportReader = { kind: "provider" };
const everybody: ReportReader = { kind: "public" };

function redEdition(fields: Partial<DossierEvent> = {}): DossierEvent {
  return event("evt_red_down", "20:14:02", {
    kind: "symptom",
    subject: redServer.ref!,
    subjectName: "red-web-1",
    summary: "Your server does not answer",
    ...fields,
  });
}

function red(
  editions: ReadonlyMap<string, DossierEvent> = new Map([["evt_red_down", redEdition()]]),
): ReportReader {
  return { kind: "tenant", key: tenants.red, editions: { tenant: tenants.red, byPin: editions } };
}

function sample(fields: Partial<DossierMaterial> = {}) {
  return assembleDossier({ ...sampleMaterial(), ...fields });
}

describe("the report", () => {
  test("for the provider has everything: pins, rows, notes, decisions, sections for all, checks", () => {
    const report = composeReport(sample(), provider);
    expect(report.timeline.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      "change Kernel 6.12 was installed on compute-77",
      "note Both paths went at once.",
      "symptom red-web-1 does not answer",
      "symptom StoragePathDown on compute-77",
      "human The people on duty see that both storage paths are gone.",
      "decision Evacuate compute-77",
    ]);
    expect(report.things.map(({ name }) => name)).toEqual(["compute-77", "red-web-1", "blue-db-9"]);
    expect(report.sections).toHaveLength(5);
    expect(report.missing).toEqual([{ event: "evt_lost", state: "gone" }]);
    expect(report.told).toEqual([tenants.red, tenants.blue]);
    expect(report.status.checks?.length).toBeGreaterThan(0);
  });

  test("for a tenant has its own things and editions, general words for the provider's, and nothing of others", () => {
    const report = composeReport(sample(), red());
    expect(report.title).toBe("A host failed");
    expect(report.things.map(({ name }) => name)).toEqual(["Shared infrastructure", "red-web-1"]);
    expect(report.timeline.map(({ text, event: id }) => [text, id])).toEqual([
      ["Your server does not answer", "evt_red_down"],
    ]);
    expect(report.sections.map(({ section, text }) => `${section}: ${text}`)).toEqual([
      "summary: Your server was moved to another host.",
      "impact: A small part of the servers did not answer.",
      "actions: Nothing has to be done by you.",
    ]);
    expect(Object.keys(report).toSorted()).toEqual([
      "audience",
      "id",
      "schema",
      "sections",
      "severity",
      "status",
      "things",
      "timeline",
      "title",
      "window",
    ]);
  });

  test("for everybody has times and public sections alone", () => {
    const report = composeReport(sample(), everybody);
    expect(report).toMatchObject({
      audience: "public",
      title: "Some servers were unreachable",
      timeline: [],
    });
    expect(report.id).toBeUndefined();
    expect(report.things.map(({ name }) => name)).toEqual(["Shared infrastructure"]);
    expect(report.things[0]?.times.every((time) => Object.keys(time).length === 4)).toBe(true);
    expect(report.sections.map(({ section }) => section)).toEqual(["summary", "impact"]);
  });

  test("tells no moment that was read from another tenant's event, unless somebody set it", () => {
    const owned = (project: keyof typeof tenants): Partial<DossierEvent> => {
      const { controlPlane, projectId } = parseTenantKey(tenants[project]);
      const tenant = { controlPlane, projectId: projectId!, domainId: "d" };
      return { attribution: { status: "owned", tenant, evidence: [] }, visibility: "operational" };
    };
    const theirs = event("evt_theirs", "20:05:07", { kind: "change", ...owned("blue") });
    const shared = event("evt_down", "20:10:11", {
      kind: "symptom",
      attribution: { status: "shared", affected: [], evidence: [] },
    });
    const dossier = assembleDossier(
      material({
        incident: incident({ pins: [{ event: theirs.id, by: "user:operator" }] }),
        pins: new Map([[theirs.id, theirs]]),
        around: [shared],
      }),
    );
    const blue = { ...red(), key: tenants.blue, editions: { tenant: tenants.blue, byPin: new Map() } };
    const eventOf = (reader: ReportReader) =>
      composeReport(dossier, reader).things[0]?.times.find(({ time }) => time === "event")?.at;
    expect([provider, blue as ReportReader].map(eventOf)).toEqual(Array(2).fill("2026-05-14T20:05:07.000Z"));
    expect([red(), everybody].map(eventOf)).toEqual([undefined, undefined]);
    expect(exportIncident(composeReport(dossier, red()), "json")).not.toContain("20:05:07");
    const diff = compareAudiences(dossier, everybody);
    expect(diff.filter(({ shown }) => String(shown).includes("20:05:07"))).toEqual([]);
    const times = [mark("event", "20:05")];
    const byHand = assembleDossier(material({ incident: incident({ times }), around: [theirs, shared] }));
    expect(composeReport(byHand, everybody).things[0]?.times[0]?.at).toBe("2026-05-14T20:05:00.000Z");
  });

  test("finds each time of an audience's document under the same name, also behind one that is left out", () => {
    const theirs = event("evt_theirs", "20:05:07", { kind: "change" });
    const times = [mark("resolution", "20:40")];
    const dossier = assembleDossier(
      material({
        incident: incident({ times }),
        around: [theirs, event("evt_down", "20:10", { kind: "symptom" })],
      }),
    );
    const fields = compareAudiences(dossier, everybody).filter(({ field }) => /times\.\d+\.at$/.test(field));
    expect(fields.map(({ outcome, value }) => [outcome, value])).toEqual([
      ["withheld", "2026-05-14T20:05:07.000Z"],
      ["shown", "2026-05-14T20:40:00.000Z"],
    ]);
  });

  test("numbers general words where there are several", () => {
    const things = [host, { id: "h2", name: "compute-78", ref: { kind: "host", id: "compute-78" } }];
    const report = composeReport(assembleDossier(material({ incident: incident({ things }) })), everybody);
    expect(report.things.map(({ name }) => name)).toEqual([
      "Shared infrastructure 1",
      "Shared infrastructure 2",
    ]);
    expect(report.title).toBe("Incident of 2026-05-14");
  });

  test("refuses another tenant's editions", () => {
    const mixed: ReportReader = {
      kind: "tenant",
      key: tenants.blue,
      editions: { tenant: tenants.red, byPin: new Map() },
    };
    expect(() => composeReport(sample(), mixed)).toThrow(TypeError);
  });

  test("leaves a section and an amendment out that name what their readers must not know", () => {
    const leaking = incident({
      things: [host],
      sections: [
        { section: "summary", audience: "public", text: "COMPUTE-77 failed" },
        { section: "impact", audience: "public", text: "Some servers" },
      ],
      log: [entry(1, { kind: "amendment", audience: "public", text: "It was c\u200bompute-77" })],
    });
    const report = composeReport(assembleDossier(material({ incident: leaking })), everybody);
    expect(report.sections.map(({ section }) => section)).toEqual(["impact"]);
    expect(report.status.amendments).toEqual([]);
  });

  test("shows amendments to whom they are for", () => {
    const log = (["provider", "tenant", "public"] as const).map((audience, index) =>
      entry(index + 1, { kind: "amendment", audience, text: `for ${audience}` }),
    );
    const dossier = assembleDossier(material({ incident: incident({ log }) }));
    const seen = [provider, red(), everybody].map(
      (reader) => composeReport(dossier, reader).status.amendments.length,
    );
    expect(seen).toEqual([3, 2, 1]);
  });

  test("has one hash until anything but its status changes", () => {
    const report = composeReport(sample(), provider);
    expect(hashReport(report)).toMatch(/^[0-9a-f]{64}$/);
    expect(hashReport({ ...report, status: { state: "published", amendments: [] } })).toBe(
      hashReport(report),
    );
    expect(hashReport({ ...report, title: "other" })).not.toBe(hashReport(report));
    const read = JSON.parse(exportIncident(report, "json")) as IncidentReport;
    expect(hashReport(read)).toBe(hashReport(report));
  });

  test("tells the same times after freezing, whatever arrives later", () => {
    const before = sample();
    const times = freezeTimes(before).flatMap((change) => (change.kind === "time" ? [change.mark] : []));
    expect(times.length).toBeGreaterThan(0);
    const late = event("evt_late", "20:01", { kind: "symptom" });
    const { incident: sampled, around } = sampleMaterial();
    const frozen = incident({ ...sampled, state: "published", times });
    const after = sample({ incident: frozen, around: [...around, late] });
    expect(composeReport(after, provider).things).toEqual(composeReport(before, provider).things);
    const thawed = sample({ incident: { ...frozen, state: "draft" }, around: [...around, late] });
    expect(composeReport(thawed, provider).things).not.toEqual(composeReport(before, provider).things);
  });
});

/** An event of somebody else, with a planted word in every place that holds one. */
function foreignEvent(id: string, canary: (what: string) => string): DossierEvent {
  const ref = (kind: string) => ({ kind, id: canary(kind) });
  return event(id, "20:14", {
    kind: "symptom",
    subject: ref("server"),
    subjectName: canary("name"),
    related: [
      { role: "host", ref: ref("host"), name: canary("hostname") },
      { role: "owner", ref: ref("project"), name: canary("project-name") },
    ],
    summary: canary("summary"),
    details: { host: canary("detail"), nested: [{ user_name: canary("deep") }] },
    actor: {
      userId: canary("uid"),
      userName: canary("user"),
      projectId: canary("pid"),
      address: canary("addr"),
    },
    operation: { requestId: canary("req") },
    connection: canary("connection"),
    controlPlane: canary("plane"),
  });
}

/** Words that no other audience's document may hold, one for every place in which something stands. */
function planted(): {
  readonly dossier: ReturnType<typeof assembleDossier>;
  readonly canaries: readonly string[];
} {
  const canaries: string[] = [];
  const canary = (what: string): string => {
    const word = `canary-${what}-${canaries.length}-x7`;
    canaries.push(word);
    return word;
  };
  const foreign = (id: string) => foreignEvent(id, canary);
  const hidden = foreign(canary("event"));
  const theirs = { id: canary("thing"), name: canary("thing-name"), ref: hidden.subject };
  const blueKey = `project/lab/${canary("tenant")}` as typeof tenants.blue;
  const named = [canary("known"), hidden.subject.id, hidden.actor!.userName!];
  const filled = incident({
    title: canary("title"),
    openedBy: canary("opener"),
    things: [{ ...host, name: canary("estate") }, theirs, redServer],
    pins: [
      { event: hidden.id, by: canary("pinner"), note: canary("note") },
      { event: "evt_red_down", by: "user:operator", note: canary("note") },
      { event: canary("gone"), by: "user:operator" },
    ],
    times: (["event", "detection"] as const).flatMap((time) =>
      [host.id, theirs.id].map((thing) => ({
        thing,
        time,
        at: at("20:10"),
        precision: 0 as never,
        provenance: { kind: "set" as const, by: canary("setter"), why: canary("why") },
      })),
    ),
    rows: [row(1, "20:20", canary("row"), { document: canary("document"), thing: canary("row-thing") })],
    log: [
      entry(1, { kind: "note", text: canary("log-note") }, canary("writer")),
      entry(2, { kind: "decision", text: canary("decision"), decidedAt: at("20:30") }),
      entry(3, { kind: "amendment", text: canary("amendment"), audience: "provider" }, canary("amender")),
      entry(4, { kind: "amendment", text: `told ${named[1]}`, audience: "public" }),
    ],
    tell: [tenants.red, blueKey],
    sections: [
      { section: "summary", audience: "provider", text: canary("internal") },
      { section: "impact", audience: "tenant", text: `It was ${named[0]}.` },
      { section: "cause", audience: "public", text: `It was ${named[2]!.toUpperCase()}.` },
      { section: "actions", audience: "public", text: "Nothing." },
    ],
    published: { at: at("22:00"), by: canary("publisher"), hash: canary("hash") },
  });
  const pins = new Map([
    [hidden.id, hidden],
    [
      "evt_red_down",
      { ...redEdition(), summary: canary("own-summary"), details: { host: canary("own-host") } },
    ],
  ]);
  const around = [foreign(canary("around"))];
  const holes = [{ connection: canary("blind"), from: at("20:00"), says: canary("hole") }];
  return {
    dossier: assembleDossier(material({ incident: filled, pins, around, holes, knownNames: [named[0]!] })),
    canaries,
  };
}

describe("what others must not see", () => {
  const { dossier, canaries } = planted();

  test.each(reportFormats)("stands nowhere in a tenant's or the public %s", (format) => {
    expect(canaries.length).toBeGreaterThan(50);
    for (const reader of [red(), everybody]) {
      const text = exportIncident(composeReport(dossier, reader), format).toLowerCase();
      expect(canaries.filter((canary) => text.includes(canary.toLowerCase()))).toEqual([]);
    }
  });

  test("stands in the provider's, so that it was there to be told", () => {
    const text = exportIncident(composeReport(dossier, provider), "json");
    const told = canaries.filter((canary) => text.includes(canary));
    expect(told.length).toBeGreaterThan(25);
  });

  test("says nothing of how many others there are", () => {
    const { incident: sampled } = sampleMaterial();
    const more = Array.from({ length: 7 }, (_, index) => ({
      id: `more${index}`,
      name: `more${index}`,
      ref: { kind: "server", id: `more-${index}-0000` },
    }));
    const alone = incident({ ...sampled, things: [host, redServer], tell: [tenants.red] });
    const many = incident({ ...sampled, things: [host, blueServer, ...more, redServer] });
    for (const reader of [red(), everybody]) {
      const [one, other] = [alone, many].map((each) =>
        exportIncident(composeReport(sample({ incident: each }), reader), "json"),
      );
      expect(one).toBe(other);
    }
  });
});

describe("the difference", () => {
  test("tells of every field of the provider's document exactly once", () => {
    const dossier = sample();
    const fields = leavesOf(composeReport(dossier, provider)).map(({ field }) => field);
    for (const reader of [provider, red(), everybody]) {
      const differences = compareAudiences(dossier, reader);
      expect(differences.map(({ field }) => field)).toEqual(fields);
      expect(differences.every(({ why }) => why !== "")).toBe(true);
    }
  });

  test("calls shown only what stands in the audience's document at its place", () => {
    const { dossier } = planted();
    for (const reader of [red(), everybody]) {
      const values = new Set(leavesOf(composeReport(dossier, reader)).map(({ value }) => value));
      for (const one of compareAudiences(dossier, reader)) {
        const stands = one.outcome === "shown" ? one.value : one.shown;
        expect(stands === undefined || values.has(stands)).toBe(true);
      }
    }
  });

  test("leaves nothing of the provider's own document out", () => {
    expect(compareAudiences(sample(), provider).every(({ outcome }) => outcome === "shown")).toBe(true);
  });

  test("follows a thing, a line and a section to their places in the other document", () => {
    const differences = new Map(compareAudiences(sample(), red()).map((one) => [one.field, one]));
    expect(differences.get("title")).toMatchObject({ outcome: "replaced", shown: "A host failed" });
    expect(differences.get("things.0.name")).toMatchObject({
      outcome: "replaced",
      shown: "Shared infrastructure",
    });
    expect(differences.get("things.1.name")).toMatchObject({ outcome: "shown" });
    expect(differences.get("things.2.name")).toMatchObject({ outcome: "withheld", class: "thing name" });
    expect(differences.get("timeline.2.text")).toMatchObject({
      outcome: "replaced",
      value: "red-web-1 does not answer",
      shown: "Your server does not answer",
    });
    expect(differences.get("timeline.0.text")).toMatchObject({ outcome: "withheld", class: "event" });
    expect(differences.get("timeline.2.note")).toBeUndefined();
    expect(differences.get("timeline.0.note")).toMatchObject({ outcome: "withheld", class: "pin note" });
    expect(differences.get("told.0")).toMatchObject({ outcome: "withheld", class: "tenant" });
  });
});
