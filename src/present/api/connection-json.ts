import { formatInstant } from "../../model/instant.ts";
import { findingMeanings } from "../../model/source-health.ts";
import type { ConnectionState } from "../../store/event-store.ts";
import type { ContractJson, SourcesJson } from "./contract.ts";
import { formatOptional, toSpanJson } from "./event-json.ts";

type ConnectionJson = SourcesJson["connections"][number];

/** A connection as its operators see it: its place, what it promises, what of that it breaks, and where it was blind. */
export function toConnectionJson(
  connection: ConnectionState,
  contract: ContractJson | undefined,
  now: number,
): ConnectionJson {
  const { completeTo, lastError, counts } = connection;
  return {
    connection: connection.connection,
    source: connection.source,
    control_plane: connection.controlPlane,
    state: connection.state,
    complete_to: formatOptional(completeTo) ?? null,
    lag_ms: completeTo === undefined ? null : Math.max(0, now - completeTo),
    ...toHealthJson(connection),
    contract: contract ?? null,
    last_event_at: formatOptional(connection.lastEventAt) ?? null,
    last_success_at: formatOptional(connection.lastSuccessAt) ?? null,
    last_error:
      lastError === undefined ? null : { at: formatInstant(lastError.at), message: lastError.message },
    counts: {
      events: counts.events,
      folded: counts.folded,
      repeated: counts.repeated,
      revised: counts.revised,
      set_aside: counts.setAside,
      late: counts.late,
      ...(counts.expired === undefined ? {} : { expired: counts.expired }),
    },
  };
}

function toHealthJson(
  connection: ConnectionState,
): Pick<ConnectionJson, "holes" | "findings" | "last_heard_at" | "expect_within_ms" | "reconciled"> {
  const { reconciled } = connection;
  return {
    holes: connection.holes.map((hole) => ({ ...toSpanJson(hole), reason: hole.reason, says: hole.says })),
    findings: connection.findings.map(({ code, says, since, lastAt, count }) => ({
      code,
      means: findingMeanings[code],
      says,
      since: formatInstant(since),
      last_at: formatInstant(lastAt),
      count,
    })),
    last_heard_at: formatOptional(connection.lastHeardAt) ?? null,
    expect_within_ms: connection.expectWithinMs ?? null,
    reconciled:
      reconciled === undefined
        ? null
        : {
            at: formatInstant(reconciled.at),
            ...toSpanJson(reconciled),
            records: reconciled.records,
            found_late: reconciled.foundLate,
            found_late_ever: reconciled.foundLateEver,
          },
  };
}
