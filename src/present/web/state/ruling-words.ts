import type { RulingVersionJson } from "../../api/quarantine-contract.ts";
import { formatMoment } from "../time/zone.ts";
import type { MatchField } from "./ruling-draft.ts";

export const fieldWords: Readonly<Record<MatchField, string>> = {
  event_id: "event",
  type: "type",
  connection: "from",
  control_plane: "on",
  subject: "about",
  alias: "named",
  from: "since",
  to: "before",
};

/** Which events a ruling is about, condition by condition, for a list. */
export function matchWords(match: RulingVersionJson["match"], zone: string): readonly [string, string][] {
  const spell = (entity: { kind: string; id: string } | undefined) =>
    entity === undefined ? undefined : `${entity.kind}/${entity.id}`;
  const moment = (at: string | undefined) =>
    at === undefined ? undefined : formatMoment(Date.parse(at), zone);
  const words: [MatchField, string | undefined][] = [
    ["event_id", match.event_id],
    ["type", match.type],
    ["connection", match.connection],
    ["control_plane", match.control_plane],
    ["subject", spell(match.subject)],
    ["alias", spell(match.alias)],
    ["from", moment(match.from)],
    ["to", moment(match.to)],
  ];
  return words.flatMap(([field, value]): [string, string][] =>
    value === undefined ? [] : [[fieldWords[field], value]],
  );
}

/** `214`, or `at least 214` where not all were counted. */
export function countWords(count: number, atLeast: boolean): string {
  const words = count.toLocaleString("en");
  return atLeast ? `at least ${words}` : words;
}
