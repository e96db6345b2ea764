import type { SourcesJson } from "../api/contract.ts";
import { lengthText } from "./coverage-text.ts";

type Connection = SourcesJson["connections"][number];

/** Holes of one connection that a list of all connections tells. */
const holesBriefly = 3;

/** What is not well with a connection, a line each; briefly, its latest holes only. */
export function healthLines(connection: Connection, briefly: boolean): readonly string[] {
  const { connection: name, last_error: error, findings, holes, reconciled } = connection;
  const told = briefly ? holes.slice(-holesBriefly) : holes;
  return [
    ...(error === null ? [] : [`${name}: last error ${error.at}: ${error.message}`]),
    ...(connection.state === "silent" ? [`${name}: ${silenceText(connection)}`] : []),
    ...findings.map(({ code, says, means }) => `${name}: ${code}: ${says} ${means}`),
    ...(told.length < holes.length
      ? [`${name}: ${holes.length - told.length} older holes, see: isochron sources ${name}`]
      : []),
    ...told.map(
      ({ from, to, reason, says }) =>
        `${name}: events may be missing from ${from} to ${to} (${reason}${briefly ? "" : `: ${says}`})`,
    ),
    ...(reconciled === null || briefly
      ? []
      : [
          `${name}: reconciled ${reconciled.at} from ${reconciled.from} to ${reconciled.to}: ${reconciled.records} records, ${reconciled.found_late} found late (${reconciled.found_late_ever} ever)`,
        ]),
  ];
}

function silenceText({ last_heard_at: heard, expect_within_ms: expected }: Connection): string {
  const since = heard === null ? "never heard" : `last heard ${heard}`;
  const within = expected === null ? "" : `, expected every ${lengthText(expected)}`;
  return `${since}${within}: it may be dead as well as quiet`;
}

/** What the sources of these connections promise, and what they cannot tell. */
export function contractLines(connections: readonly Connection[]): readonly string[] {
  return connections.flatMap(({ connection: name, contract }) => {
    if (contract === null) return [];
    const kept = contract.retention_ms === null ? "" : `; keeps records ${lengthText(contract.retention_ms)}`;
    return [
      `${name}: identity: ${contract.identity}; version: ${contract.version}`,
      `${name}: ${contract.delivery}, ${contract.ordering}; readable within ${lengthText(contract.commit_delay_max_ms)}; clock within ${lengthText(contract.clock_error_max_ms)}; records change: ${contract.revisions}${kept}`,
      `${name}: blind to: ${contract.blind_spots}`,
    ];
  });
}
