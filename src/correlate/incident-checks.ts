import { entityKey } from "../model/entity.ts";
import type { SectionAudience, SectionName } from "../model/incident.ts";
import { measuredTimes } from "../model/incident.ts";
import { duration } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type {
  CheckCode,
  CheckPlace,
  DossierEvent,
  DossierMaterial,
  IncidentCheck,
  KnownIdentifiers,
  ThingTimes,
} from "./incident-dossier.ts";
import type { IncidentFact } from "./incident-facts.ts";
import { collectFacts } from "./incident-facts.ts";
import { findLeaks } from "./incident-leak.ts";
import { formatLength, formatMoment, reversedTimes } from "./incident-times.ts";

/** Told so much later than it happened, a report is one from memory or from behind a gap. */
const lateMs = 3_600_000;

/** What nobody should publish: it misleads, or it tells what its readers must not know. */
const blocking: ReadonlySet<CheckCode> = new Set(["leak", "times-reversed", "section-missing"]);

/** What to look at before publishing, the blocking ones first. */
export function checkIncident(
  material: DossierMaterial,
  things: readonly ThingTimes[],
  identifiers: KnownIdentifiers,
): readonly IncidentCheck[] {
  const events = eventsOf(material);
  const facts = collectFacts(material);
  const checks = [
    ...checkTexts(material, identifiers),
    ...checkTimes(things),
    ...checkSections(material),
    ...checkClocks(events, material),
    ...checkReports(events, material),
    ...checkOrder(facts, things),
    ...checkSymptoms(facts, things),
    ...checkHoles(material),
    ...checkPins(material),
  ];
  return checks.toSorted((a, b) => Number(b.severity === "blocks") - Number(a.severity === "blocks"));
}

function found(
  code: CheckCode,
  says: string,
  where: CheckPlace = {},
  blocks = blocking.has(code),
): IncidentCheck {
  return { code, severity: blocks ? "blocks" : "warns", says, where };
}

function eventsOf({ pins, around }: DossierMaterial): readonly DossierEvent[] {
  const events = new Map(around.map((event) => [event.id, event]));
  for (const seen of pins.values()) if (seen !== "withheld") events.set(seen.id, seen);
  return [...events.values()].toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
}

function checkTexts({ incident }: DossierMaterial, identifiers: KnownIdentifiers): readonly IncidentCheck[] {
  const texts: { readonly text: string; readonly audience: SectionAudience; readonly where: CheckPlace }[] = [
    ...incident.sections.map(({ section, audience, text }) => ({ text, audience, where: { section } })),
    ...incident.log.flatMap(({ change, sequence }) =>
      change.kind === "amendment"
        ? [{ text: change.text, audience: change.audience, where: { entry: sequence } }]
        : [],
    ),
  ];
  return texts.flatMap(({ text, audience, where }) => {
    if (audience === "provider") return [];
    const readers = audience === "tenant" ? "tenants" : "everybody";
    return findLeaks(text, identifiers).map((leak) => {
      const doubt = leak.certain ? "" : ", which is also a plain word";
      const says = `A text for ${readers} holds the ${leak.what} “${leak.found}”${doubt}.`;
      return found("leak", says, { ...where, audience }, leak.certain);
    });
  });
}

function checkTimes(things: readonly ThingTimes[]): readonly IncidentCheck[] {
  if (things.length === 0) return [found("nothing-measured", "Nothing is measured: no times will be told.")];
  return things.flatMap(({ thing, standing }) => [
    ...reversedTimes(standing).map(([earlier, later]) =>
      found(
        "times-reversed",
        `The ${later.time} of ${thing.name} (${formatMoment(later.at, later.precision)}) lies before its ${earlier.time} (${formatMoment(earlier.at, earlier.precision)}).`,
        { thing: thing.id, time: later.time },
      ),
    ),
    ...measuredTimes
      .filter((time) => !standing.some((mark) => mark.time === time))
      .map((time) =>
        found("time-missing", `The ${time} of ${thing.name} is not known.`, { thing: thing.id, time }),
      ),
  ]);
}

const neededSections: readonly (readonly [SectionName, blocks: boolean])[] = [
  ["summary", true],
  ["impact", false],
];

function checkSections({ incident }: DossierMaterial): readonly IncidentCheck[] {
  const has = (section: SectionName, audiences: readonly SectionAudience[]): boolean =>
    incident.sections.some(
      (one) => one.section === section && audiences.includes(one.audience) && one.text.trim() !== "",
    );
  const toTenants = incident.tell.length > 0;
  const toAll = incident.sections.some(({ audience, text }) => audience === "public" && text.trim() !== "");
  return neededSections.flatMap(([section, blocks]) => [
    ...(toTenants && !has(section, ["tenant", "public"])
      ? [
          found(
            "section-missing",
            `Tenants are told, and no ${section} is written for them.`,
            { section, audience: "tenant" },
            blocks,
          ),
        ]
      : []),
    ...(toAll && !has(section, ["public"])
      ? [
          found(
            "section-missing",
            `Other sections are written for everybody, and no ${section}.`,
            { section, audience: "public" },
            blocks,
          ),
        ]
      : []),
  ]);
}

function checkClocks(events: readonly DossierEvent[], material: DossierMaterial): readonly IncidentCheck[] {
  const groups = Map.groupBy(
    events.filter(({ operation, phase }) => operation?.requestId !== undefined && phase !== undefined),
    (event) => `${event.operation?.requestId}|${entityKey(event.subject)}|${stemOf(event.type)}`,
  );
  return [...groups.values()].flatMap((group) => [
    ...endsBeforeStarts(group, material),
    ...viewsApart(group, material),
  ]);
}

/** The type without its step: `compute.instance.create.end` and `.start` have the same. */
function stemOf(type: string): string {
  return type.replace(/\.(start|end|error|progress)$/, "");
}

function errorOf(event: DossierEvent, { clockErrors }: DossierMaterial): number {
  return event.precision + (clockErrors?.get(event.connection ?? "") ?? 0);
}

function endsBeforeStarts(
  group: readonly DossierEvent[],
  material: DossierMaterial,
): readonly IncidentCheck[] {
  const start = group.find(({ phase }) => phase === "start");
  const end = group.findLast(({ phase }) => phase === "end" || phase === "error");
  if (start === undefined || end === undefined) return [];
  const early = start.occurredAt - end.occurredAt;
  if (early <= errorOf(start, material) + errorOf(end, material)) return [];
  const says = `“${end.summary}” ends ${formatLength(duration(early))} before it starts, which is more than the clocks' error.`;
  return [found("clocks-disagree", says, placeOfEvent(end))];
}

function viewsApart(group: readonly DossierEvent[], material: DossierMaterial): readonly IncidentCheck[] {
  return (["start", "end"] as const).flatMap((phase) => {
    const views = group.filter((event) => event.phase === phase);
    const first = views[0];
    const other = views.find((event) => event.connection !== first?.connection);
    if (first === undefined || other === undefined) return [];
    const apart = other.occurredAt - first.occurredAt;
    if (apart <= errorOf(first, material) + errorOf(other, material) + 1_000) return [];
    const says = `Two connections tell the ${phase} of “${first.summary}” ${formatLength(duration(apart))} apart.`;
    return [found("views-apart", says, placeOfEvent(other))];
  });
}

function placeOfEvent({ id, connection }: DossierEvent): CheckPlace {
  return { event: id, ...(connection !== undefined && { connection }) };
}

function checkReports(events: readonly DossierEvent[], material: DossierMaterial): readonly IncidentCheck[] {
  const { incident } = material;
  const pinned = new Set(incident.pins.map(({ event }) => event));
  return [
    ...events.flatMap((event) => {
      const late = (event.recordedAt ?? event.occurredAt) - event.occurredAt;
      // A document is read long after what it tells; that says nothing about its rows.
      if (late <= lateMs || !pinned.has(event.id) || writtenClock(event) !== undefined) return [];
      const says = `“${event.summary}” was recorded ${formatLength(duration(late))} after it happened.`;
      return [found("late-report", says, placeOfEvent(event))];
    }),
    ...incident.log.flatMap(({ change, recordedAt, sequence }) => {
      if (change.kind !== "decision") return [];
      const late = recordedAt - Math.max(change.decidedAt, incident.openedAt);
      if (late <= lateMs) return [];
      const says = `The decision “${change.text}” was written down ${formatLength(duration(late))} after it could be.`;
      return [found("late-report", says, { entry: sequence })];
    }),
    ...events.flatMap((event) =>
      insideOf(event.summary, event.occurredAt, placeOfEvent(event), writtenClock(event)),
    ),
    ...incident.rows.flatMap(({ text, at, document, row }) => insideOf(text, at, { row: { document, row } })),
  ];
}

function writtenClock({ details }: DossierEvent): string | undefined {
  const written = details["time_as_written"];
  return typeof written === "string" ? written : undefined;
}

const clockInside = /(?<![\d:.,/-])([01]?\d|2[0-3])[:h]([0-5]\d)(?![\d:])/gu;

/**
 * A time in the text that is not the line's own. Where the line's clock as it was written is known, an earlier one counts;
 * else any that no time zone makes the same, because zones lie whole quarters of an hour apart.
 */
function insideOf(text: string, at: Instant, where: CheckPlace, written?: string): readonly IncidentCheck[] {
  const own = written === undefined ? undefined : [...written.matchAll(clockInside)].map(minutesOf)[0];
  // Only what people wrote is read so: a machine's text is full of numbers.
  if (written === undefined && where.row === undefined) return [];
  const told = [...text.matchAll(clockInside)].find((match) =>
    own === undefined ? (minutesOf(match) - Math.floor(at / 60_000)) % 15 !== 0 : minutesOf(match) < own,
  );
  if (told === undefined) return [];
  return [
    found("earlier-time-inside", `A line tells of ${told[0]} in its text, which is not its own time.`, where),
  ];
}

function minutesOf([, hour, minute]: RegExpExecArray): number {
  return Number(hour) * 60 + Number(minute);
}

/** Inside one minute the order of writing is all that there is. */
function checkOrder(facts: readonly IncidentFact[], things: readonly ThingTimes[]): readonly IncidentCheck[] {
  return things.flatMap(({ thing, spans }) => {
    const rough = facts.filter((fact) => fact.things.has(thing.id) && fact.precision >= 60_000);
    const minutes = Map.groupBy(rough, ({ at }) => Math.floor(at / 60_000));
    const mixed = [...minutes.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined || new Set(group.map(({ kind }) => kind)).size < 2) return [];
      const says = `${group.length} lines about ${thing.name} stand in the minute ${formatMoment(first.at, 60_000)}; their order is that of writing.`;
      return [found("same-minute", says, { thing: thing.id, ...placeOfFact(first) })];
    });
    const unordered = (["detect", "decide", "resolve"] as const).flatMap((span) => {
      const length = spans[span];
      if (length.outcome !== "measured" || !length.unordered) return [];
      return [
        found(
          "same-minute",
          `Both ends of “time to ${span}” of ${thing.name} lie in one and the same minute or second.`,
          {
            thing: thing.id,
          },
        ),
      ];
    });
    return [...mixed, ...unordered];
  });
}

function placeOfFact({ event, row }: IncidentFact): CheckPlace {
  return { ...(event !== undefined && { event }), ...(row !== undefined && { row }) };
}

function checkSymptoms(
  facts: readonly IncidentFact[],
  things: readonly ThingTimes[],
): readonly IncidentCheck[] {
  return things.flatMap(({ thing }) =>
    facts.some((fact) => fact.ill && fact.things.has(thing.id))
      ? []
      : [
          found("no-symptom", `${thing.name} is measured, and no symptom of it is known.`, {
            thing: thing.id,
          }),
        ],
  );
}

function checkHoles({ incident, holes = [], asOf }: DossierMaterial): readonly IncidentCheck[] {
  const { from, to = asOf } = incident.window;
  return holes
    .filter((hole) => hole.from < to && (hole.to ?? asOf) > from)
    .map((hole) => {
      const end = hole.to === undefined ? "on" : `to ${formatMoment(hole.to, 1_000)}`;
      const says = `${hole.connection} told nothing from ${formatMoment(hole.from, 1_000)} ${end}: ${hole.says}`;
      return found("blind", says, { connection: hole.connection });
    });
}

function checkPins({ incident, pins }: DossierMaterial): readonly IncidentCheck[] {
  return incident.pins.flatMap(({ event }) => {
    const seen = pins.get(event);
    if (seen === undefined)
      return [found("pin-gone", "A pinned event is no longer stored; what it said is not told.", { event })];
    return seen === "withheld"
      ? [
          found(
            "pin-withheld",
            "A pinned event may not be shown to you; check it with somebody who may see it.",
            { event },
          ),
        ]
      : [];
  });
}
