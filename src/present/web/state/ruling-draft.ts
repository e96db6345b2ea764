import type {
  QuarantineGroupJson,
  RulingAnswerJson,
  RulingMatchJson,
  RulingVersionJson,
} from "../../api/quarantine-contract.ts";
import type { EventJson } from "../../api/contract.ts";
import type { TenantChoice } from "./tenant-tree.ts";

/** The conditions of a rule in the order in which they are shown; each is text until it is sent. */
export const matchFields = [
  "event_id",
  "type",
  "connection",
  "control_plane",
  "subject",
  "alias",
  "from",
  "to",
] as const;
export type MatchField = (typeof matchFields)[number];

export type DraftAnswer =
  | { readonly kind: "tenant"; readonly tenant: Extract<TenantChoice, { kind: "project" | "domain" }> }
  | { readonly kind: "provider" };

/** A ruling that is being written. */
export interface RulingDraft {
  readonly match: Readonly<Partial<Record<MatchField, string>>>;
  readonly answer: DraftAnswer | undefined;
}

/** What a dry run is asked, and what a decision repeats. */
export interface RulingRequest {
  readonly match: RulingMatchJson;
  readonly answer: RulingAnswerJson;
}

export type ReadDraft =
  | { readonly ok: true; readonly request: RulingRequest }
  | { readonly ok: false; readonly problems: Readonly<Partial<Record<MatchField | "answer", string>>> };

/** A rule about a whole group, to be narrowed. */
export function draftOfGroup(
  group: Pick<QuarantineGroupJson, "type" | "connection" | "control_plane">,
): RulingDraft {
  const { type, connection, control_plane } = group;
  return { match: { type, connection, control_plane }, answer: undefined };
}

/** A decision about a single event. */
export function draftOfEvent(event: EventJson, provider: boolean): RulingDraft {
  const plane = event.attribution.control_plane;
  return {
    match: { event_id: event.id, ...(plane === undefined ? {} : { control_plane: plane }) },
    answer: provider ? { kind: "provider" } : undefined,
  };
}

/** What was ruled, to be ruled otherwise. */
export function draftOfRuling(ruling: Pick<RulingVersionJson, "match" | "answer">): RulingDraft {
  const { subject, alias, ...plain } = ruling.match;
  const given = Object.entries(plain).filter(([, value]) => value !== undefined);
  const { tenant } = ruling.answer;
  return {
    match: {
      ...(Object.fromEntries(given) as RulingDraft["match"]),
      ...(subject === undefined ? {} : { subject: `${subject.kind}/${subject.id}` }),
      ...(alias === undefined ? {} : { alias: `${alias.kind}/${alias.id}` }),
    },
    answer: tenant === undefined ? { kind: "provider" } : answerOf(tenant),
  };
}

/** The answer that names this tenant: its project, or else its domain. */
export function answerOf(tenant: {
  control_plane: string;
  project_id?: string | undefined;
  domain_id?: string | undefined;
}): DraftAnswer {
  const kind = tenant.project_id === undefined ? "domain" : "project";
  const id = tenant.project_id ?? tenant.domain_id ?? "";
  return { kind: "tenant", tenant: { kind, id, controlPlane: tenant.control_plane } };
}

/** The draft as it is sent, or what is wrong with it, condition by condition. */
export function readDraft({ match, answer }: RulingDraft): ReadDraft {
  const problems: Partial<Record<MatchField | "answer", string>> = {};
  const read: Record<string, unknown> = {};
  for (const field of matchFields) {
    const text = match[field]?.trim();
    if (text === undefined) continue;
    const value = readField(field, text);
    if ("problem" in value) problems[field] = value.problem;
    else read[field] = value.value;
  }
  if (Object.keys(read).every((field) => field === "control_plane") && Object.keys(problems).length === 0) {
    problems.type = "Say which events, by one condition at least.";
  }
  if (answer === undefined) problems.answer = "Say whose they are.";
  if (answer?.kind === "tenant") {
    const plane = answer.tenant.controlPlane;
    read["control_plane"] ??= plane;
    if (read["control_plane"] !== plane) {
      problems.answer = `That tenant is on ${plane}, the events are on ${String(read["control_plane"])}.`;
    }
  }
  if (answer === undefined || Object.keys(problems).length > 0) return { ok: false, problems };
  return { ok: true, request: { match: read as RulingMatchJson, answer: spellAnswer(answer) } };
}

function spellAnswer(answer: DraftAnswer): RulingAnswerJson {
  if (answer.kind === "provider") return { kind: "provider" };
  const { kind, id } = answer.tenant;
  return kind === "project" ? { kind: "tenant", project_id: id } : { kind: "tenant", domain_id: id };
}

function readField(field: MatchField, text: string): { value: unknown } | { problem: string } {
  if (text === "") return { problem: "Empty: fill it in, or take the condition away." };
  if (field === "subject" || field === "alias") {
    const cut = text.search(/[/:]/);
    const [kind, id] = [text.slice(0, cut), text.slice(cut + 1).trim()];
    return cut > 0 && /^[a-z_]{1,50}$/.test(kind) && id !== ""
      ? { value: { kind, id } }
      : { problem: "Write kind/id, such as server/9f2c or ip/10.0.0.7." };
  }
  if (field === "from" || field === "to") {
    const ms = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(ms)
      ? { problem: "Write a time with its zone, such as 2026-11-21T03:02:10Z." }
      : { value: text };
  }
  if (field === "type" && text.slice(0, -1).includes("*")) {
    return { problem: "A * stands at the end only: alert.*" };
  }
  return { value: text };
}

/** Things of the event by which a rule about it could be narrowed: what it is about, and by which name. */
export function narrowings(event: EventJson): readonly { field: "subject" | "alias"; value: string }[] {
  const spell = (entity: { kind: string; id: string }) => `${entity.kind}/${entity.id}`;
  const aliases = event.related
    .filter(({ role }) => role === "alias" || role.startsWith("alias:"))
    .map((entity) => ({ field: "alias" as const, value: spell(entity) }));
  return [{ field: "subject" as const, value: spell(event.subject) }, ...aliases];
}
