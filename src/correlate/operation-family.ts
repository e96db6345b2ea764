import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { OperationDraft } from "./operation-draft.ts";
import { rankOf, seenSpan } from "./operation-draft.ts";
import type { TimedStep } from "./operation-step.ts";
import { lastAttempt } from "./operation-step.ts";
import type { OperationTemplate } from "./operation-template.ts";
import { gatheringOf } from "./operation-template.ts";

/**
 * Services report on their own: an API makes the record of an image before the server's own step begins, and a network
 * tells of a port when the step is long over. What somebody does by hand right before or after is told apart by this.
 */
const slackMs: readonly { readonly stems: RegExp; readonly ahead: number; readonly behind: number }[] = [
  { stems: /^image\./, ahead: 1_000, behind: 1_000 },
  { stems: /^(port\.update|binding\.)/, ahead: 0, behind: 5_000 },
];
const usualSlackMs = { ahead: 0, behind: 100 };

/** Operations on one place begin no further apart than this when one decision made them all. */
const gatheredWithinMs = 15 * 60_000;

/** Puts operations of other requests into those that they are part of, and gathers those of one decision. */
export function formFamilies(drafts: readonly OperationDraft[]): readonly OperationDraft[] {
  // A volume or a port is known to be a server's by a later step on it, which itself is found by the server.
  return gatherRequests(gatherPlaces(adoptParts(adoptParts(drafts))));
}

interface Candidate {
  readonly draft: OperationDraft;
  readonly firstAt: Instant;
  readonly untilAt: number;
  readonly things: ReadonlySet<string>;
}

function adoptParts(drafts: readonly OperationDraft[]): readonly OperationDraft[] {
  const parents = drafts
    .filter(({ template }) => template.adopts !== undefined)
    .map((draft) => toCandidate(draft, drafts));
  const byThing = new Map<string, Candidate[]>();
  for (const parent of parents) {
    for (const thing of parent.things) {
      const key = `${parent.draft.plane}\n${thing}`;
      byThing.set(key, [...(byThing.get(key) ?? []), parent]);
    }
  }
  const homes = new Map<OperationDraft, Candidate>();
  for (const draft of drafts) {
    const home = findHome(draft, byThing);
    if (home !== undefined) homes.set(draft, home);
  }
  const adopted = Map.groupBy(homes.keys(), (draft) => homes.get(draft)!.draft);
  const build = (draft: OperationDraft): OperationDraft => {
    const more = adopted.get(draft);
    return more === undefined
      ? draft
      : { ...draft, children: sortDrafts([...draft.children, ...more.map(build)]) };
  };
  return drafts.filter((draft) => !homes.has(draft)).map(build);
}

function toCandidate(draft: OperationDraft, drafts: readonly OperationDraft[]): Candidate {
  const { firstAt, lastAt } = seenSpan(draft);
  const isOpen = draft.steps.some((step) => lastAttempt(step).outcome === "open");
  const following = drafts
    .filter(
      (other) =>
        other !== draft &&
        other.plane === draft.plane &&
        entityKey(other.subject) === entityKey(draft.subject),
    )
    .map((other) => seenSpan(other).firstAt)
    .filter((at) => at > firstAt);
  const untilAt = isOpen ? Math.min(firstAt + draft.template.usualMs, ...following) : lastAt;
  return { draft, firstAt, untilAt: Math.max(untilAt, lastAt), things: workedOn(draft) };
}

const partKinds = new Set(["volume", "port", "image", "snapshot", "server"]);

/** What the operation works on: its subject, and the subjects of its parts and what these name as their volume. */
function workedOn({ subject, steps, children }: OperationDraft): ReadonlySet<string> {
  const refs: EntityRef[] = [
    subject,
    ...steps.map((step) => step.subject),
    ...steps.flatMap(({ marks }) => marks.flatMap(({ roles }) => roles.get("volume") ?? [])),
    ...children.map((child) => child.subject),
  ];
  return new Set([entityKey(subject), ...refs.filter(({ kind }) => partKinds.has(kind)).map(entityKey)]);
}

/** What makes the operation what it is; of what no template names, its first step. */
function stageStems({ template, steps }: OperationDraft): readonly string[] {
  return template.stages[0] === "*"
    ? steps.slice(0, 1).map(({ stem }) => stem)
    : steps.map(({ stem }) => stem).filter((stem) => template.stages.includes(stem));
}

/** The operation that was begun last among those that were under way and work on what this one speaks of. */
function findHome(
  draft: OperationDraft,
  byThing: ReadonlyMap<string, readonly Candidate[]>,
): Candidate | undefined {
  const { firstAt } = seenSpan(draft);
  const things = new Set([entityKey(draft.subject), ...draft.steps.flatMap((step) => [...step.things])]);
  const stems = stageStems(draft);
  const { ahead, behind } =
    slackMs.find((slack) => stems.some((stem) => slack.stems.test(stem))) ?? usualSlackMs;
  const homes = [...things]
    .flatMap((thing) => byThing.get(`${draft.plane}\n${thing}`) ?? [])
    .filter((parent) => {
      if (parent.draft === draft || rankOf(parent.draft.template) >= rankOf(draft.template)) return false;
      const isPart = stems.some((stem) =>
        parent.draft.template.adopts!.some((part) => stem.startsWith(part)),
      );
      return isPart && parent.firstAt - ahead <= firstAt && firstAt <= parent.untilAt + behind;
    });
  return homes
    .toSorted((left, right) => left.firstAt - right.firstAt || compareDrafts(left.draft, right.draft))
    .at(-1);
}

/** One host's servers that are evacuated together are one evacuation of the host. */
function gatherPlaces(drafts: readonly OperationDraft[]): readonly OperationDraft[] {
  const rest: OperationDraft[] = [];
  const places = new Map<
    string,
    { place: EntityRef; template: OperationTemplate; members: OperationDraft[] }
  >();
  for (const draft of drafts) {
    const template = gatheringOf(draft.template);
    const place = template === undefined ? undefined : leftPlace(draft);
    if (template === undefined || place === undefined) {
      rest.push(draft);
      continue;
    }
    const key = `${draft.plane}\n${template.name}\n${entityKey(place)}`;
    const group = places.get(key) ?? { place, template, members: [] };
    places.set(key, group);
    group.members.push(draft);
  }
  for (const { place, template, members } of places.values()) {
    for (const children of splitByGap(sortDrafts(members)))
      rest.push({ template, subject: place, plane: children[0]!.plane, steps: [], children });
  }
  return rest;
}

/** The place that is left, as the announcement or the source of the migration names it. */
function leftPlace({ template, steps }: OperationDraft): EntityRef | undefined {
  const role = template.gatheredBy!.role;
  const telling = steps.filter(
    ({ stem }) => template.onlyWith!.includes(stem) && !stem.startsWith("compute.action."),
  );
  const marks = telling.flatMap((step) => step.marks);
  return marks
    .map(({ roles }) => roles.get(`source_${role}`) ?? roles.get(role))
    .find((place) => place !== undefined);
}

function splitByGap(sorted: readonly OperationDraft[]): readonly (readonly OperationDraft[])[] {
  const groups: OperationDraft[][] = [];
  let lastAt = Number.NEGATIVE_INFINITY;
  for (const draft of sorted) {
    const { firstAt } = seenSpan(draft);
    if (firstAt - lastAt > gatheredWithinMs) groups.push([]);
    groups.at(-1)!.push(draft);
    lastAt = firstAt;
  }
  return groups;
}

/** What one request does to several things at once, such as five servers of one call, is one operation of many. */
function gatherRequests(drafts: readonly OperationDraft[]): readonly OperationDraft[] {
  const byRequest = Map.groupBy(drafts, ({ plane, requestId, template }) =>
    requestId === undefined ? "" : `${plane}\n${requestId}\n${template.name}`,
  );
  return [...byRequest].flatMap(([key, members]): readonly OperationDraft[] => {
    if (key === "" || members.length === 1) return members;
    const sorted = sortDrafts(members);
    const { plane, requestId, template } = sorted[0]!;
    return [
      {
        template,
        subject: { kind: "request", id: requestId! },
        plane,
        requestId: requestId!,
        steps: [],
        children: sorted,
      },
    ];
  });
}

export function sortDrafts(drafts: readonly OperationDraft[]): readonly OperationDraft[] {
  return drafts.toSorted(
    (left, right) => seenSpan(left).firstAt - seenSpan(right).firstAt || compareDrafts(left, right),
  );
}

function compareDrafts(left: OperationDraft, right: OperationDraft): number {
  return draftKey(left) < draftKey(right) ? -1 : 1;
}

function draftKey({ plane, subject, requestId, steps, children }: OperationDraft): string {
  const first: readonly (TimedStep | undefined)[] = [steps[0] ?? children[0]?.steps[0]];
  return [plane, entityKey(subject), requestId ?? "", first[0]?.marks[0]?.eventId ?? ""].join("\n");
}
