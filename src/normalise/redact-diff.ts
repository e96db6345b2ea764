import type { Disclosure, DisclosureClass } from "../model/disclosure.ts";
import { entityKey, type EntityRef, type Related } from "../model/entity.ts";
import type { EventDraft, FieldChange, TenantEdition } from "../model/event.ts";
import type { Json } from "../model/json.ts";
import { fieldClasses } from "./redact-classes.ts";
import { fieldsOf, shownRule, type Field } from "./redact-fields.ts";

/** An edition as it is stored; its visibility is the event's, or for a notice always the same. */
export interface StoredEdition extends Omit<TenantEdition, "visibility" | "phase" | "operation"> {
  readonly phase?: TenantEdition["phase"] | undefined;
  readonly operation?: TenantEdition["operation"] | undefined;
}

/** Fields that stand beside every edition as they are. */
const beside = new Set(["occurredAt", "precision"]);

/** What became of every field of the event in the edition, in the event's order: told by comparing the two. */
export function redactionDiff(draft: EventDraft, edition: StoredEdition): readonly Disclosure[] {
  const own = new Set(edition.related.map(({ ref }) => entityKey(ref)));
  return fieldsOf(draft, { tenant: edition.tenant, own }).map((field) => {
    const { path, class: name, value } = field;
    const told = { field: path.join("."), class: name, value: spell(path[0] ?? "", value) };
    const shown = shownOf(field, draft, edition);
    if (shown === undefined) return { ...told, outcome: "withheld" };
    // A sentence is always written anew, and may read the same.
    return same(shown, told.value) && path[0] !== "summary"
      ? { ...told, outcome: "shown" }
      : { ...told, outcome: "replaced", shown };
  });
}

/** All classes, for whoever reads such a comparison. */
export const disclosureClasses: readonly DisclosureClass[] = Object.entries(fieldClasses).map(
  ([name, { policy, means }]) => ({ name, policy, means }),
);

function same(a: Json, b: Json): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What the edition says in the place of the field; undefined where it has none for it. */
function shownOf(
  { path, class: name, value }: Field,
  draft: EventDraft,
  edition: StoredEdition,
): Json | undefined {
  const [field = "", part, last] = path;
  if (beside.has(field)) return spell(field, value);
  switch (field) {
    case "subject":
      return spell(field, edition.subject);
    case "related": {
      const item = draft.related[Number(part)]!;
      const found = edition.related.find(({ ref }) => entityKey(ref) === entityKey(item.ref));
      if (last === "name") return found?.name;
      if (found !== undefined) return spell(field, found);
      const place = name === "place" ? edition.related.find(({ role }) => role === "place") : undefined;
      return place === undefined ? undefined : spell(field, place);
    }
    case "operation":
      return edition.operation?.[part as "requestId"];
    case "details":
      return shownDetail(path, value as Json, edition);
    case "changes": {
      const { before, after } = value as FieldChange;
      const isTold = name === "own-state" && edition.summary.includes(`${String(before)} → ${String(after)}`);
      return isTold ? spell(field, value) : undefined;
    }
    case "type":
    case "kind":
    case "category":
    case "phase":
    case "severity":
    case "subjectName":
    case "summary":
      return edition[field];
    case "visibility":
      return edition.notice ? "operational" : draft.visibility;
    default:
      return undefined;
  }
}

/** Two fields may be told under one name; the second is told only as far as it says the same. */
function shownDetail(path: readonly string[], value: Json, { details }: StoredEdition): Json | undefined {
  const shown = details[shownRule(path)?.as ?? path.slice(1).join(".")];
  return shown !== undefined && same(shown, value) ? value : undefined;
}

/** Things are spelled, so that one line tells a field. */
function spell(field: string, value: unknown): Json {
  if (field === "subject") return spellRef(value as EntityRef);
  if (field === "related" && typeof value === "object") {
    const { role, ref } = value as Related;
    return `${role} ${spellRef(ref)}`;
  }
  return value as Json;
}

function spellRef({ kind, id }: EntityRef): string {
  return `${kind}/${id}`;
}
