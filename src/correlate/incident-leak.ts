import type { EntityRef } from "../model/entity.ts";
import { commandingClass } from "../model/commanding-text.ts";
import type { Incident } from "../model/incident.ts";
import type { Json } from "../model/json.ts";
import { parseTenantKey } from "../model/tenant.ts";
import type { DossierEvent, DossierMaterial, KnownIdentifiers } from "./incident-dossier.ts";

/** What stands in a text although it must not. */
export interface Leak {
  readonly found: string;
  readonly what: "identifier" | "name" | "address" | "e-mail" | "id";
  readonly certain: boolean;
}

/** Kinds whose names everybody may know: they tell of no tenant, host or person. */
const plainKinds: ReadonlySet<string> = new Set([
  "component",
  "region",
  "flavor",
  "volume_type",
  "role",
  "name",
]);

/** Kinds whose bare word already says who or where. */
const tellingKinds: ReadonlySet<string> = new Set([
  "host",
  "hostname",
  "hypervisor",
  "project",
  "domain",
  "user",
  "group",
  "monitored_host",
]);

/** Fields of a record that hold such a thing whatever the record is. */
const tellingFields =
  /(^|_)(host|hostname|node|user|project|tenant|domain|address|ip|mac|e?mail)(_?(id|name))?$/i;

/** Who wrote something without being a person. */
const impersonal: ReadonlySet<string> = new Set([
  "operator",
  "user",
  "admin",
  "rule",
  "isochron",
  "system",
  "import",
]);

/** Everything in an incident and its events that says who or where. */
export function collectIdentifiers({
  incident,
  pins,
  around,
  knownNames,
}: DossierMaterial): KnownIdentifiers {
  const identifiers = new Set<string>();
  const wordlike = new Set<string>();
  const add = (text: string | undefined, isCertain = true): void => {
    const plain = plainText(text ?? "").trim();
    if (plain.length >= 3) (isCertain || !/^\p{L}+$/u.test(plain) ? identifiers : wordlike).add(plain);
    // By its first eight digits people call a thing that has a long id.
    const short = /^(?=.{0,7}[a-f])([\da-f]{8})-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{12}$/.exec(
      plain,
    )?.[1];
    if (short !== undefined) identifiers.add(short);
  };
  for (const seen of [...around, ...pins.values()]) if (seen !== "withheld") addEvent(seen, add);
  for (const thing of incident.things) if (thing.ref !== undefined) addRef(thing.ref, thing.name, add);
  for (const key of incident.tell) {
    const { projectId, domainId } = parseTenantKey(key);
    for (const id of [key, projectId, domainId]) add(id);
  }
  for (const by of writersOf(incident)) {
    for (const part of [by, ...by.split(/[:/]/)]) if (!impersonal.has(part.toLowerCase())) add(part);
  }
  for (const name of knownNames ?? []) add(name);
  return { identifiers, wordlike };
}

type Add = (text: string | undefined, isCertain?: boolean) => void;

function addEvent(event: DossierEvent, add: Add): void {
  addRef(event.subject, event.subjectName, add);
  for (const { ref, name } of event.related) addRef(ref, name, add);
  for (const part of Object.values(event.actor ?? {})) add(part);
  for (const part of Object.values(event.operation ?? {})) add(part);
  addDetails(event.details, "", add);
}

function addRef({ kind, id }: EntityRef, name: string | undefined, add: Add): void {
  if (plainKinds.has(kind)) return;
  // A service is the provider's word unless it says where it runs.
  if (kind !== "service" || /[\d:@.]/.test(id)) add(id);
  add(name, tellingKinds.has(kind));
}

function addDetails(value: Json, field: string, add: Add): void {
  if (typeof value === "string") {
    if (tellingFields.test(field) && value.length <= 200) add(value);
  } else if (Array.isArray(value)) for (const item of value as readonly Json[]) addDetails(item, field, add);
  else if (typeof value === "object" && value !== null)
    for (const [name, item] of Object.entries(value)) addDetails(item, name, add);
}

function writersOf({ openedBy, pins, log, times, published }: Incident): readonly string[] {
  return [
    openedBy,
    ...pins.map(({ by }) => by),
    ...log.map(({ by }) => by),
    ...times.flatMap(({ provenance }) => (provenance.kind === "set" ? [provenance.by] : [])),
    ...(published === undefined ? [] : [published.by]),
  ];
}

/** Shapes that say who or where without our knowing the thing. */
const shapes: readonly (readonly [Leak["what"], RegExp])[] = [
  ["e-mail", /[\w.+-]+@[\w-]+(\.[\w-]+)+/giu],
  ["id", /(?<![\da-f])[\da-f]{8}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{12}(?![\da-f])/giu],
  ["id", /(?<![\p{L}\p{N}])(inc|evt)_[\p{L}\p{N}]{4,}/giu],
  ["address", /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/gu],
  ["address", /(?<![\p{L}\p{N}:])(?:[\da-f]{1,4}:){2,7}(?::|[\da-f]{1,4})(?:[\da-f:]*)(?![\p{L}\p{N}:])/giu],
  [
    "name",
    /(?<![\p{L}\p{N}-])[a-z\d-]+(\.[a-z\d-]+)*\.(internal|intern|local|lan|corp|localdomain)(?![\p{L}\p{N}])/giu,
  ],
];

/** Every identifier in the text that its readers must not see; the same one once. */
export function findLeaks(text: string, { identifiers, wordlike }: KnownIdentifiers): readonly Leak[] {
  const plain = plainText(text);
  const leaks = new Map<string, Leak>();
  const note = (found: string, what: Leak["what"], isCertain: boolean): void => {
    if (!leaks.has(found)) leaks.set(found, { found, what, certain: isCertain });
  };
  for (const identifier of identifiers) if (holds(plain, identifier)) note(identifier, "identifier", true);
  for (const [what, shape] of shapes)
    for (const [found] of plain.matchAll(shape)) if (!isClock(found)) note(found, what, true);
  for (const name of wordlike) if (holds(plain, name)) note(name, "name", false);
  return [...leaks.values()];
}

/** `10:06:31` has the shape of an address. */
function isClock(found: string): boolean {
  return /^\d{1,2}(:\d\d){1,2}$/.test(found);
}

/** A long identifier is one wherever it stands; a short one must stand alone, or every `api` were found in `capital`. */
function holds(text: string, identifier: string): boolean {
  for (let start = text.indexOf(identifier); start !== -1; start = text.indexOf(identifier, start + 1)) {
    const around = `${text[start - 1] ?? " "}${text[start + identifier.length] ?? " "}`;
    if (identifier.length >= 8 || !/[\p{L}\p{N}]/u.test(around)) return true;
  }
  return false;
}

const unseen = new RegExp(
  `(?![\\n\\r\\t])[${commandingClass}\\u00ad\\u034f\\u115f\\u1160\\u200c\\u200d\\u3164\\ufe00-\\ufe0f]`,
  "gu",
);

/** As a reader takes it: widths, cases, the kind of a dash, a line's end and marks without width make no difference. */
export function plainText(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(unseen, "")
    .replaceAll(/\p{Pd}|[\u2043\u2212]/gu, "-")
    .replaceAll(/\s+/gu, " ")
    .toLowerCase();
}
