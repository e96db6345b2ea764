import type { StatedOwner } from "../../model/event.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { asList, text, unwrapped } from "./fields.ts";
import type { OwnerRow } from "./owner-paths.ts";
import { ownerRows } from "./owner-paths.ts";

/** Texts that hold an owner's id among other things. */
const forms: Readonly<Record<string, RegExp>> = {
  // heat/common/identifier.py: the second part is the stack's own project.
  arn: /^arn:openstack:heat::([^:/]+):stacks\//,
  // Swift's account is its project's id behind the reseller's prefix.
  account: /^\/v1(?:\.0)?\/AUTH_([0-9a-f]{32})(?:\/|$)/,
};

interface OwnerField {
  readonly kind: "project" | "domain";
  readonly steps: readonly string[];
  readonly form?: RegExp;
}

interface ReadyRow {
  readonly row: OwnerRow;
  readonly types: RegExp;
  readonly fields: readonly OwnerField[];
}

const readyRows: readonly ReadyRow[] = ownerRows.map((row) => ({
  row,
  types: patternOf(row.types),
  fields: row.owner === "-" ? [] : row.owner.split(" | ").map(fieldOf),
}));

function patternOf(types: string): RegExp {
  const spelled = types
    .replaceAll(".", "\\.")
    .replaceAll("*", ".*")
    .replaceAll(/\{([^}]+)\}/g, (_, list: string) => `(?:${list.replaceAll(",", "|")})`);
  return new RegExp(`^${spelled}$`);
}

function fieldOf(spelled: string): OwnerField {
  const [, domain, path = "", form] = /^(domain:)?([^()]+)(?:\((\w+)\))?$/.exec(spelled) ?? [];
  return {
    kind: domain === undefined ? "project" : "domain",
    steps: path.split("."),
    ...(form === undefined ? {} : { form: forms[form]! }),
  };
}

/** Types come from a small vocabulary; what a sender makes up beyond that is looked up each time. */
const found = new Map<string, ReadyRow | undefined>();
const foundMax = 2000;

function readyRowOf(eventType: string): ReadyRow | undefined {
  if (found.has(eventType)) return found.get(eventType);
  const row = readyRows.find(({ types }) => types.test(eventType));
  if (found.size < foundMax) found.set(eventType, row);
  return row;
}

/** The row of {@link ownerRows} that counts for a type; undefined where none does. */
export function ownerRowOf(eventType: string): OwnerRow | undefined {
  return readyRowOf(eventType)?.row;
}

/** The owner that the payload states in the field that the table gives for its type, and in no other. */
export function readOwnerPath({ eventType, payload }: OsloMessage): StatedOwner | undefined {
  const thing = eventType.split(".")[0]!;
  for (const { kind, steps, form } of readyRowOf(eventType)?.fields ?? []) {
    const own = steps.map((step) => (step === "<thing>" ? thing : step));
    const values = new Set(valuesAt(payload, own).flatMap((value) => picked(value, form)));
    const [id] = values;
    // Several answers in one list contradict each other.
    if (id !== undefined && values.size === 1)
      return { owner: { kind, id }, path: `payload.${own.join(".")}` };
  }
  return undefined;
}

function picked(value: string, form: RegExp | undefined): readonly string[] {
  if (form === undefined) return [value];
  const part = form.exec(value)?.[1];
  return part === undefined ? [] : [part];
}

function valuesAt(value: Json | undefined, steps: readonly string[]): readonly string[] {
  const object: JsonObject | undefined = unwrapped(value);
  const [step, ...rest] = steps;
  if (object === undefined || step === undefined) return [];
  if (step.endsWith("[]")) return asList(object[step.slice(0, -2)]).flatMap((item) => valuesAt(item, rest));
  if (rest.length > 0) return valuesAt(object[step], rest);
  const last = text(object, step);
  return last === undefined ? [] : [last];
}
