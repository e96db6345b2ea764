import type { DossierEvent, DossierMaterial } from "../src/correlate/incident-dossier.ts";
import type {
  ImportedRow,
  Incident,
  IncidentChange,
  IncidentEntry,
  MeasuredThing,
  TimeMark,
} from "../src/model/incident.ts";
import { duration, instant } from "../src/model/instant.ts";
import type { Instant } from "../src/model/instant.ts";
import { projectKey } from "../src/model/tenant.ts";

/**
 * An invented evening: host `compute-77` gets a new kernel, loses its storage network, and two tenants' servers on it stop
 * answering; it is evacuated. The ids are made up; nothing here was recorded anywhere.
 */
export const day = Date.UTC(2026, 4, 14);

/** `at("20:15")`, `at("20:15:30")`: that moment of the invented day. */
export function at(clock: string): Instant {
  const [hour = 0, minute = 0, second = 0] = clock.split(":").map(Number);
  return instant(day + ((hour * 60 + minute) * 60 + second) * 1000);
}

export const tenants = {
  red: projectKey("lab", "1111aaaa1111aaaa1111aaaa1111aaaa"),
  blue: projectKey("lab", "2222bbbb2222bbbb2222bbbb2222bbbb"),
};

export const host: MeasuredThing = {
  id: "host:compute-77",
  name: "compute-77",
  ref: { kind: "host", id: "compute-77" },
};
export const redServer: MeasuredThing = {
  id: "server:red",
  name: "red-web-1",
  ref: { kind: "server", id: "0c5b2f9e-3333-4444-8555-66667777aaaa" },
};
export const blueServer: MeasuredThing = {
  id: "server:blue",
  name: "blue-db-9",
  ref: { kind: "server", id: "9d1e7a60-3333-4444-8555-66667777bbbb" },
};

/** An event with everything that is not said left plain. */
export function event(
  id: string,
  clock: string,
  fields: Partial<DossierEvent> & Pick<DossierEvent, "kind">,
): DossierEvent {
  return {
    id,
    occurredAt: at(clock),
    recordedAt: instant(at(clock) + 2_000),
    precision: duration(0),
    type: `sample.${fields.kind}`,
    category: "platform",
    severity: fields.kind === "symptom" ? "error" : "info",
    subject: { kind: "host", id: "compute-77" },
    related: [],
    summary: `${fields.kind} of compute-77`,
    details: {},
    connection: "sample",
    ...fields,
  };
}

export function incident(fields: Partial<Incident> = {}): Incident {
  return {
    id: "inc_0sample0sample0sample0sam0",
    origin: "hand",
    openedAt: at("21:10"),
    openedBy: "user:operator",
    title: "compute-77 lost its storage network",
    severity: "critical",
    state: "draft",
    window: { from: at("20:00"), to: at("21:00") },
    pins: [],
    things: [host],
    times: [],
    sections: [],
    tell: [],
    rows: [],
    log: [],
    version: 1,
    ...fields,
  };
}

export function material(fields: Partial<DossierMaterial> = {}): DossierMaterial {
  return { incident: incident(), pins: new Map(), around: [], asOf: at("23:00"), ...fields };
}

export function entry(sequence: number, change: IncidentChange, by = "user:operator"): IncidentEntry {
  return { sequence, recordedAt: instant(at("21:10") + sequence * 1_000), by, change };
}

export function row(
  number: number,
  clock: string,
  text: string,
  fields: Partial<ImportedRow> = {},
): ImportedRow {
  return {
    document: "notes.md",
    row: number,
    at: at(clock),
    precision: duration(60_000),
    eventKind: "activity",
    text,
    ...fields,
  };
}

export function mark(time: TimeMark["time"], clock: string, fields: Partial<TimeMark> = {}): TimeMark {
  return {
    thing: host.id,
    time,
    at: at(clock),
    precision: duration(60_000),
    provenance: { kind: "set", by: "user:operator", why: "read in the chat" },
    ...fields,
  };
}

const onHost = [{ role: "host", ref: { kind: "host", id: "compute-77" } }];

/** What was recorded of the evening. */
function eveningEvents(): readonly DossierEvent[] {
  const kernel = event("evt_kernel", "20:10:12", {
    kind: "change",
    summary: "Kernel 6.12 was installed on compute-77",
    actor: { userId: "u-77", userName: "operator.one", address: "198.51.100.7" },
  });
  const alert = event("evt_alert", "20:15:31", {
    kind: "symptom",
    category: "monitoring",
    phase: "start",
    type: "alert.storage_path_down.firing",
    severity: "critical",
    summary: "StoragePathDown on compute-77",
  });
  const redDown = event("evt_red_down", "20:14:02", {
    kind: "symptom",
    subject: redServer.ref!,
    subjectName: redServer.name,
    related: onHost,
    summary: "red-web-1 does not answer",
  });
  const blueDown = event("evt_blue_down", "20:14:40", {
    kind: "symptom",
    subject: blueServer.ref!,
    subjectName: blueServer.name,
    related: onHost,
    summary: "blue-db-9 does not answer",
  });
  const evacuated = event("evt_evacuate", "20:31:05", {
    kind: "change",
    category: "migration",
    operation: { requestId: "req-evacuate" },
    summary: "compute-77 is being evacuated",
  });
  const redUp = event("evt_red_up", "20:40:18", {
    kind: "recovery",
    subject: redServer.ref!,
    subjectName: redServer.name,
    summary: "red-web-1 answers again",
  });
  const blueUp = event("evt_blue_up", "20:44:51", {
    kind: "recovery",
    subject: blueServer.ref!,
    subjectName: blueServer.name,
    summary: "blue-db-9 answers again",
  });
  const over = event("evt_over", "20:47:00", {
    kind: "recovery",
    category: "monitoring",
    phase: "end",
    type: "alert.storage_path_down.resolved",
    summary: "Resolved: StoragePathDown on compute-77",
  });
  return [kernel, alert, redDown, blueDown, evacuated, redUp, blueUp, over];
}

/** The whole evening, with pins that are there and one that is gone, and sections for all three audiences. */
export function sampleMaterial(): DossierMaterial {
  const around = eveningEvents();
  const pin = (id: string, note?: string) => ({
    event: id,
    by: "user:operator",
    ...(note !== undefined && { note }),
  });
  return material({
    incident: incident({
      things: [host, redServer, blueServer],
      pins: [
        pin("evt_kernel", "the night's only change"),
        pin("evt_alert"),
        pin("evt_red_down"),
        pin("evt_lost"),
      ],
      rows: [
        row(1, "20:20", "The people on duty see that both storage paths are gone.", { eventKind: "human" }),
      ],
      log: [
        entry(1, { kind: "note", text: "Both paths went at once.", about: at("20:14") }),
        entry(2, { kind: "decision", text: "Evacuate compute-77", decidedAt: at("20:28"), thing: host.id }),
      ],
      tell: [tenants.red, tenants.blue],
      sections: [
        {
          section: "summary",
          audience: "provider",
          text: "compute-77 lost both paths after its new kernel.",
        },
        {
          section: "summary",
          audience: "tenant",
          text: "# A host failed\n\nYour server was moved to another host.",
        },
        {
          section: "summary",
          audience: "public",
          text: "# Some servers were unreachable\n\nThey were moved and work again.",
        },
        { section: "impact", audience: "public", text: "A small part of the servers did not answer." },
        { section: "actions", audience: "tenant", text: "Nothing has to be done by you." },
      ],
    }),
    pins: new Map(around.map((one) => [one.id, one] as const)),
    around,
  });
}
