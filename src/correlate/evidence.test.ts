import { describe, expect, it } from "vitest";
import { parseEntityKey } from "../model/entity.ts";
import { duration, instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { Correlatable } from "./correlatable.ts";
import { gatherEvidence, weighEvidence } from "./evidence.ts";

function event(id: string, minute: number, more: Partial<Correlatable> = {}): Correlatable {
  return {
    id,
    occurredAt: instant(minute * 60_000),
    precision: duration(0),
    type: "log.depot.error",
    kind: "symptom",
    category: "platform",
    severity: "error",
    subject: parseEntityKey("component:depot-api"),
    related: [],
    summary: id,
    details: {},
    ...more,
  };
}

function push(id: string, minute: number, ...files: readonly string[]): Correlatable {
  const details: JsonObject = { files: { added: [], modified: files, removed: [] } };
  const subject = parseEntityKey("repository:forge/1");
  return event(id, minute, { kind: "change", severity: "info", type: "git.branch.pushed", subject, details });
}

function failure(
  id: string,
  minute: number,
  frames: readonly string[],
  exception: string,
  program = "depot-api",
) {
  const lines = frames.map((frame) => {
    const [file = "", name = ""] = frame.split(":");
    return `  File "/usr/lib/python3/dist-packages/${file}", line 7, in ${name}\n    work()`;
  });
  const traceback = ["Traceback (most recent call last):", ...lines, exception].join("\n");
  return event(id, minute, { details: { traceback, program } });
}

const symptom = event("box not made", 100, { subject: parseEntityKey("box:1") });

function scores(earlier: readonly Correlatable[], target = symptom): Readonly<Record<string, number>> {
  const context = gatherEvidence(target, earlier);
  const changes = earlier.filter(({ kind }) => kind === "change");
  return Object.fromEntries(
    changes.map((change) => [
      change.id,
      weighEvidence(context, change).reduce((sum, { value }) => sum + value, 0),
    ]),
  );
}

const best = (found: Readonly<Record<string, number>>) =>
  Object.entries(found).toSorted(([, a], [, b]) => b - a)[0]![0];

const pushes = [
  push("api", 10, "depot/api/boxes.py"),
  push("shelf", 20, "depot/shelf/rack.py"),
  push("data", 30, "depot/db/sqlalchemy/api.py"),
  push("objects", 40, "depot/objects/box.py"),
  push("views", 50, "depot/api/views/list.py"),
  push("other service", 60, "lorry/drive.py"),
];

describe("evidence inside the records", () => {
  it("stands for the change to the file in which the first error was raised", () => {
    const frames = ["depot/api/boxes.py:create", "depot/shelf/rack.py:add"];
    expect(best(scores([...pushes, failure("e", 99, frames, "ShelfFull: no room")]))).toBe("shelf");
  });

  it("goes by the first error, not by what it led to in other programs", () => {
    const first = failure("a", 98, ["depot/shelf/rack.py:add"], "ShelfFull: no room", "depot-worker");
    const second = failure("b", 99, ["depot/api/boxes.py:create"], "RemoteError: ShelfFull");
    expect(best(scores([...pushes, second, first]))).toBe("shelf");
  });

  it("goes beneath the error to the data where a row was not what it should be", () => {
    const frames = ["depot/api/boxes.py:create", "depot/objects/box.py:_from_db_object"];
    expect(best(scores([...pushes, failure("e", 99, frames, "KeyError: 'size'")]))).toBe("data");
    // An error that is no matter of a value stays where it was raised.
    expect(best(scores([...pushes, failure("e", 99, frames, "BoxGone: no such box")]))).toBe("objects");
  });

  it("speaks against code that the error would have passed, had it run", () => {
    const found = scores([...pushes, failure("e", 99, ["depot/shelf/rack.py:add"], "ShelfFull: no room")]);
    expect(found["views"]).toBeLessThan(found["data"]!);
    expect(found["other service"]).toBe(0);
  });

  it("leaves errors of other requests out where the symptom's own are told", () => {
    const own = "req-11111111-1111-4111-8111-111111111111";
    const other = failure("other", 97, ["depot/api/boxes.py:create"], "BoxError: no");
    const mine = {
      ...failure("mine", 98, ["depot/shelf/rack.py:add"], "ShelfFull: no room"),
      operation: { requestId: own },
    };
    const asked = { ...symptom, summary: `HTTP 500 (Request-ID: ${own})` };
    expect(best(scores([...pushes, other, mine], asked))).toBe("shelf");
  });

  it("leaves errors out that came after the symptom or long before it", () => {
    const late = failure("late", 101, ["depot/shelf/rack.py:add"], "ShelfFull: no room");
    const old = failure("old", 70, ["depot/shelf/rack.py:add"], "ShelfFull: no room");
    expect(scores([...pushes, late, old])["shelf"]).toBe(0);
  });

  it("says less of a change to many files", () => {
    const many = push("release", 15, "depot/shelf/rack.py", "depot/a.py", "depot/b.py", "depot/c.py");
    const found = scores([
      ...pushes,
      many,
      failure("e", 99, ["depot/shelf/rack.py:add"], "ShelfFull: no room"),
    ]);
    expect(found["release"]).toBeLessThan(found["shelf"]!);
    expect(found["release"]).toBeGreaterThan(found["data"]!);
  });

  it("gives reasons that name the file and the call", () => {
    const earlier = [...pushes, failure("e", 99, ["depot/shelf/rack.py:add"], "ShelfFull: no room")];
    const says = weighEvidence(gatherEvidence(symptom, earlier), pushes[1]!).map((addend) => addend.says);
    expect(says).toContain("the error began in depot/shelf/rack.py, add");
  });

  it("finds the changed host and package in the words of the error before the symptom", () => {
    const error = event("no valid host: rack-07.example refused libdisk-2", 99);
    const host = event("reboot", 90, { kind: "change", subject: parseEntityKey("host:rack-07.example") });
    const upgrade = event("upgrade", 91, { kind: "change", details: { package: "libdisk-2" } });
    const near = event("near", 92, { kind: "change", subject: parseEntityKey("host:rack-07") });
    const found = scores([host, upgrade, near, error]);
    expect(found["reboot"]).toBeGreaterThan(0);
    expect(found["upgrade"]).toBeGreaterThan(0);
    expect(found["near"]).toBe(0);
  });

  it("takes it for no evidence that a symptom names its own subject", () => {
    const asked = {
      ...symptom,
      summary: "box-0001 could not be made",
      subject: parseEntityKey("box:box-0001"),
    };
    const change = event("resized", 90, { kind: "change", subject: parseEntityKey("box:box-0001") });
    expect(scores([change], asked)["resized"]).toBe(0);
  });

  it("uses the symptom's own words where no error tells anything", () => {
    const asked = { ...symptom, summary: "boxes could not be listed in their views" };
    expect(best(scores(pushes, asked))).toBe("views");
  });

  it("raises, where nothing failed aloud, what was at work on what the symptom speaks of", () => {
    const work = (id: string, minute: number, program: string, summary: string) =>
      event(id, minute, { kind: "activity", severity: "info", summary, details: { program } });
    const silent = event("FAILURE_BOX_ATTACHED", 100, { subject: parseEntityKey("component:workload") });
    const target = { ...silent, summary: "FAILURE_PALLET_ATTACHED" };
    const found = scores(
      [
        push("crane", 90, "crane/arm/lift.py"),
        push("depot", 91, "depot/store/shelf.py"),
        push("pallets", 92, "depot/pallet/flow.py"),
        work("asked", 95, "crane-api", 'POST /v1/cranes/7/pallet_attachments HTTP/1.1" 202'),
        work("listed", 99, "depot-api", "GET /v1/pallets 200"),
        work("strange", 99, "clock", "pallet attached"),
      ],
      target,
    );
    expect(best(found)).toBe("crane");
    expect(found["depot"]).toBe(0);
    // One word in common is chance, and an error that tells of code is heard instead.
    expect(
      scores([push("crane", 90, "crane/arm/lift.py"), work("a", 95, "crane-api", "pallet seen")], target),
    ).toEqual({
      crane: 0,
    });
  });

  it("makes less of a name that stands among several of its kind", () => {
    const host = (id: string) => ({ role: "host", ref: parseEntityKey(`host:${id}`) });
    const change = (id: string, ...hosts: readonly string[]) =>
      event(id, 90, { kind: "change", subject: parseEntityKey("aggregate:1"), related: hosts.map(host) });
    const found = scores(
      [change("one", "rack-07"), change("both", "rack-06", "rack-07"), change("other", "rack-06")],
      { ...symptom, summary: "rack-07 gives no answer" },
    );
    expect(found).toEqual({ one: 1, both: 0.5, other: 0 });
  });
});
