import { describe, expect, it } from "vitest";
import { entityKey, parseEntityKey } from "../model/entity.ts";
import type { Phase } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import { toldRelations } from "./told-relations.ts";

const minute = (n: number) => instant(n * 60_000);

/** An event that names two things: `port.create.end port:p server:s`, at a minute. */
function told(
  statement: string,
  at: number,
  phase: Phase | undefined = "end",
  kind: "change" | "symptom" = "change",
) {
  const [type = "", subject = "", other = ""] = statement.split(" ");
  return {
    id: `${statement} ${at}`,
    occurredAt: minute(at),
    type,
    kind,
    phase,
    subject: parseEntityKey(subject),
    related: [{ role: "other", ref: parseEntityKey(other) }],
  };
}

function relations(events: Parameters<typeof toldRelations>[0], at: number): readonly string[] {
  return toldRelations(events, minute(at)).map(
    ({ from, relation, to }) => `${entityKey(from)} ${relation} ${entityKey(to)}`,
  );
}

describe("relations that a tenant's own events tell", () => {
  it("are told by the kinds of the two, whichever is the subject", () => {
    const events = [
      told("compute.instance.volume_attach.end server:s volume:v", 1),
      told("floatingip.update.end floating_ip:f port:p", 2),
      told("compute.instance.create.end server:s image:i", 3),
    ];
    expect(relations(events, 9)).toEqual(["volume:v attached_to server:s", "floating_ip:f bound_to port:p"]);
  });

  it("are those that had been told by the moment and not ended since", () => {
    const events = [
      told("volume.attach.end volume:v server:s", 1),
      told("volume.detach.end volume:v server:s", 5),
      told("volume.attach.end volume:v server:t", 7),
    ];
    expect(relations(events, 0)).toEqual([]);
    expect(relations(events, 4)).toEqual(["volume:v attached_to server:s"]);
    expect(relations(events, 6)).toEqual([]);
    expect(relations(events.toReversed(), 8)).toEqual(["volume:v attached_to server:t"]);
  });

  it("are not made by what only began, or failed, or was a symptom", () => {
    const statement = "volume.attach volume:v server:s";
    expect(relations([told(statement, 1, "start"), told(statement, 1, "error")], 9)).toEqual([]);
    expect(relations([told(statement, 1, undefined, "symptom")], 9)).toEqual([]);
    expect(relations([told(statement, 1, undefined)], 9)).toHaveLength(1);
  });

  it("have one other end at a time where there can be but one", () => {
    const events = [
      told("floatingip.update.end floating_ip:f port:p", 1),
      told("floatingip.update.end floating_ip:f port:q", 2),
    ];
    expect(relations(events, 9)).toEqual(["floating_ip:f bound_to port:q"]);
  });
});
