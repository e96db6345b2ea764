import type { DryRunJson, RulingVersionJson } from "../../api/quarantine-contract.ts";
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

/**
 * What a dry run found, in one sentence: `214 leave: 198 → acme / prod, 16 → globex / web; 0 become visible to a second
 * tenant`. Unlike the server's own line it names only so many tenants as there is room for.
 */
export function dryRunSentence(
  result: DryRunJson,
  nameOf: (tenant: DryRunJson["by_tenant"][number]["tenant"]) => string,
): string {
  const { matching, leave, stay, provider, truncated, second_tenant: second } = result;
  const count = (events: number) => events.toLocaleString("en");
  if (matching === 0 && result.contradicted === 0) return "No waiting event matches.";
  const named = result.by_tenant.slice(0, namedMax);
  const rest = result.by_tenant.slice(namedMax);
  const shares = [
    ...named.map(
      ({ tenant, events, not_shown: hidden }) =>
        `${count(events)} → ${nameOf(tenant)}${unseenWords(hidden, "it")}`,
    ),
    ...(rest.length === 0
      ? []
      : [
          `${count(sumOf(rest, "events"))} → ${rest.length} more tenants${unseenWords(sumOf(rest, "not_shown"), "them")}`,
        ]),
    ...(provider === 0 ? [] : [`${count(provider)} → the provider`]),
  ];
  const left = `${truncated ? "At least " : ""}${count(leave)} ${leave === 1 ? "leaves" : "leave"}`;
  return [
    shares.length === 0 ? left : `${left}: ${shares.join(", ")}`,
    ...(stay === 0 ? [] : [`${count(stay)} ${stay === 1 ? "goes" : "go"} on waiting`]),
    `${count(second)} ${second === 1 ? "becomes" : "become"} visible to a second tenant`,
  ].join("; ");
}

function sumOf(shares: DryRunJson["by_tenant"], what: "events" | "not_shown"): number {
  return shares.reduce((sum, share) => sum + share[what], 0);
}

function unseenWords(hidden: number, whom: string): string {
  return hidden === 0 ? "" : ` (${hidden.toLocaleString("en")} of them not shown to ${whom})`;
}

/** More tenants than this are counted, and listed below. */
const namedMax = 4;
