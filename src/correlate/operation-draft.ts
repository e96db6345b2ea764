import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { OperationTemplate } from "./operation-template.ts";
import { genericTemplate, isWitness, operationTemplates } from "./operation-template.ts";
import type { TimedStep } from "./operation-step.ts";
import { lastAttempt } from "./operation-step.ts";

/** An operation while it is put together. */
export interface OperationDraft {
  readonly template: OperationTemplate;
  readonly subject: EntityRef;
  readonly plane: string;
  readonly requestId?: string;
  readonly steps: readonly TimedStep[];
  readonly children: readonly OperationDraft[];
}

/** Nova's steps of one operation lie no further apart than this where no request ties them together. */
const stagesApartMsMax = 10 * 60_000;

/** What is named by another source is dated by its own clock and by when it looked. */
const witnessLateMsMax = 24 * 3_600_000;

/** Listings tell times in whole seconds. */
const listedWithinMs = 1_000;

const ranks = new Map(operationTemplates.map((template, index) => [template.name, index]));

export function rankOf({ name }: OperationTemplate): number {
  return ranks.get(name) ?? operationTemplates.length;
}

/** First and last moment that was seen of it. */
export function seenSpan({ steps, children }: OperationDraft): {
  readonly firstAt: Instant;
  readonly lastAt: Instant;
} {
  const spans = [...steps, ...children.map(seenSpan)];
  return {
    firstAt: Math.min(...spans.map(({ firstAt }) => firstAt)) as Instant,
    lastAt: Math.max(...spans.map(({ lastAt }) => lastAt)) as Instant,
  };
}

/** The operations that steps make up, those of one request together, and without a request those of one thing. */
export function draftOperations(steps: readonly TimedStep[]): readonly OperationDraft[] {
  const requests = new Set(
    steps.flatMap(({ plane, requestId }) => (requestId === undefined ? [] : [`${plane}\n${requestId}`])),
  );
  const groups = Map.groupBy(steps, (step) => groupOf(step, requests));
  const drafts: OperationDraft[] = [];
  for (const [group, members] of groups)
    if (group !== "") drafts.push(...draftRequest(members, group.split("\n")[1]!));
  return attachLoose(drafts, groups.get("") ?? []);
}

/**
 * A global request id is its caller's to choose. It is the request of another service's call where that call is known by
 * it, and tells nothing more than the service's own id where nobody else was heard under it.
 */
function groupOf(
  { plane, requestId, globalRequestId, workflowId }: TimedStep,
  requests: ReadonlySet<string>,
): string {
  const isKnown = globalRequestId !== undefined && requests.has(`${plane}\n${globalRequestId}`);
  const id = isKnown ? globalRequestId : (requestId ?? globalRequestId ?? workflowId);
  return id === undefined ? "" : `${plane}\n${id}`;
}

function draftRequest(steps: readonly TimedStep[], requestId: string): readonly OperationDraft[] {
  const mains = [...Map.groupBy(steps, ({ subject }) => entityKey(subject)).values()]
    .map((own) => ({ own, template: chooseTemplate(own) }))
    .toSorted(
      (left, right) =>
        rankOf(left.template) - rankOf(right.template) || left.own[0]!.firstAt - right.own[0]!.firstAt,
    );
  const rank = rankOf(mains[0]!.template);
  // Of what no template names, the first that was begun is what was asked for.
  const tops =
    rank === operationTemplates.length
      ? mains.slice(0, 1)
      : mains.filter(({ template }) => rankOf(template) === rank);
  const drafts = tops.map(({ own, template }) => ({
    template,
    subject: own[0]!.subject,
    plane: own[0]!.plane,
    requestId,
    steps: [...own],
    things: new Set([entityKey(own[0]!.subject), ...own.flatMap(ownThings)]),
    children: [] as OperationDraft[],
  }));
  const rest = mains.filter((main) => !tops.includes(main)).flatMap(({ own }) => own);
  for (const step of rest.toSorted(
    (left, right) => linkable(right) - linkable(left) || left.firstAt - right.firstAt,
  )) {
    const linked = drafts.find(({ things }) => [...step.things].some((thing) => things.has(thing)));
    const home = linked ?? drafts[0]!;
    home.steps.push(step);
    home.things.add(entityKey(step.subject));
  }
  return drafts.map(({ template, subject, plane, steps: own, children }) => ({
    template,
    subject,
    plane,
    requestId,
    steps: own,
    children,
  }));
}

/** Steps that name a server tell whose the volume is that another step only names itself. */
function linkable({ things }: TimedStep): number {
  return [...things].some((thing) => thing.startsWith("server:")) ? 1 : 0;
}

/** Things beside a step's subject that are worked on with it, not merely used. */
function ownThings({ marks }: TimedStep): readonly string[] {
  return marks.flatMap(({ roles }) =>
    ["volume", "server"].flatMap((role) => roles.get(role) ?? []).map(entityKey),
  );
}

/** The template that tells best what the steps on one thing are: the outermost of whose stages one was seen. */
export function chooseTemplate(steps: readonly TimedStep[]): OperationTemplate {
  const stems = new Set(steps.map(({ stem }) => stem));
  const staged = operationTemplates.find(
    (template) => template.stages.some((stage) => stems.has(stage)) && isMeant(template, stems, steps),
  );
  if (staged !== undefined && staged.opensOnly !== true) return staged;
  const witnessed = operationTemplates.find(({ witnesses = [] }) =>
    witnesses.some((stem) => stems.has(stem)),
  );
  return witnessed ?? staged ?? genericTemplate;
}

function isMeant(
  { onlyWith, onlyWithSameFlavor }: OperationTemplate,
  stems: ReadonlySet<string>,
  steps: readonly TimedStep[],
): boolean {
  if (onlyWith === undefined) return true;
  if (onlyWith.some((stem) => stems.has(stem))) return true;
  return onlyWithSameFlavor === true && keepsFlavor(steps);
}

/** Nova tells a resize and a cold migration by the same steps; the second ends with the flavor that it began with. */
function keepsFlavor(steps: readonly TimedStep[]): boolean {
  const flavors = steps.flatMap(({ stem, marks }) =>
    /resize_(prep|finish)$/.test(stem)
      ? marks.flatMap(({ roles, phase }) => ({ stem, phase, flavor: roles.get("flavor")?.id }))
      : [],
  );
  const before = flavors.find(({ stem }) => stem.endsWith("prep"))?.flavor;
  const after = flavors.findLast(({ stem, phase }) => stem.endsWith("finish") && phase === "end")?.flavor;
  return before !== undefined && before === after;
}

/** Puts what bears no request to the operation on the same thing that it speaks of, and makes operations of the rest. */
function attachLoose(
  drafts: readonly OperationDraft[],
  loose: readonly TimedStep[],
): readonly OperationDraft[] {
  const found: { draft: OperationDraft; steps: TimedStep[] }[] = drafts.map((draft) => ({
    draft,
    steps: [...draft.steps],
  }));
  const bySubject = Map.groupBy(found, ({ draft }) => `${draft.plane}\n${entityKey(draft.subject)}`);
  const homeless: TimedStep[] = [];
  const [stages, witnesses] = [
    loose.filter(({ stem }) => !isWitness(stem)),
    loose.filter(({ stem }) => isWitness(stem)),
  ];
  for (const step of stages) {
    const home = (bySubject.get(placeOf(step)) ?? []).findLast(({ draft }) => isStageNear(draft, step));
    if (home === undefined) homeless.push(step);
    else home.steps.push(step);
  }
  const made = [...Map.groupBy(homeless, placeOf).values()]
    .flatMap(clusterLoose)
    .map((steps) => ({ draft: toDraft(steps), steps: [...steps] }));
  for (const one of made)
    bySubject.set(placeOf(one.steps[0]!), [...(bySubject.get(placeOf(one.steps[0]!)) ?? []), one]);
  const alone: TimedStep[] = [];
  for (const step of witnesses) {
    const home = latestWitnessed(bySubject.get(placeOf(step)) ?? [], step);
    if (home === undefined) alone.push(step);
    else home.steps.push(step);
  }
  const whole = [...found, ...made].map(({ draft, steps }) => ({
    ...draft,
    template: templateWith(draft, steps),
    steps,
  }));
  return [...whole, ...alone.map((step) => toDraft([step]))];
}

function placeOf({ plane, subject }: TimedStep): string {
  return `${plane}\n${entityKey(subject)}`;
}

function toDraft(steps: readonly TimedStep[]): OperationDraft {
  const { subject, plane } = steps[0]!;
  return { template: chooseTemplate(steps), subject, plane, steps, children: [] };
}

/** A witness may tell what the steps left open, such as that a resize was a migration; it does not add to its own things. */
function templateWith(draft: OperationDraft, steps: readonly TimedStep[]): OperationTemplate {
  const own = steps.filter(({ subject }) => entityKey(subject) === entityKey(draft.subject));
  return own.length === 0 ? draft.template : chooseTemplate(own);
}

function isStageNear(draft: OperationDraft, step: TimedStep): boolean {
  const { firstAt, lastAt } = seenSpan(draft);
  const isPart = [...draft.template.stages, ...(draft.template.onlyWith ?? [])].includes(step.stem);
  if (!isPart || draft.steps.some(({ stem }) => stem === step.stem)) return false;
  return step.lastAt >= firstAt - stagesApartMsMax && step.firstAt <= lastAt + stagesApartMsMax;
}

/** The last operation of the witness's kind that had begun by then. */
function latestWitnessed<T extends { readonly draft: OperationDraft }>(
  found: readonly T[],
  step: TimedStep,
): T | undefined {
  return found
    .filter(({ draft }) => {
      const { firstAt, lastAt } = seenSpan(draft);
      const speaks = (draft.template.witnesses ?? []).includes(step.stem) || speaksOfResize(draft, step);
      return speaks && firstAt - listedWithinMs <= step.lastAt && step.lastAt - lastAt <= witnessLateMsMax;
    })
    .toSorted(
      (left, right) =>
        exactness(left.draft, step) - exactness(right.draft, step) ||
        seenSpan(left.draft).firstAt - seenSpan(right.draft).firstAt,
    )
    .at(-1);
}

function exactness({ template }: OperationDraft, { stem }: TimedStep): number {
  return (template.witnesses ?? []).includes(stem) ? 1 : 0;
}

function speaksOfResize({ template }: OperationDraft, { stem }: TimedStep): boolean {
  return template.name === "resize" && stem === "compute.migration.migration";
}

/** Steps of one thing without a request: the stages of one template in a row are one operation, all else is its own. */
function clusterLoose(steps: readonly TimedStep[]): readonly (readonly TimedStep[])[] {
  const clusters: TimedStep[][] = [];
  for (const step of steps.toSorted((left, right) => left.firstAt - right.firstAt)) {
    const home = clusters.findLast((cluster) => continues(cluster, step));
    if (home === undefined) clusters.push([step]);
    else home.push(step);
  }
  return clusters;
}

function continues(cluster: readonly TimedStep[], step: TimedStep): boolean {
  const template = chooseTemplate([...cluster, step]);
  const parts = [...template.stages, ...(template.onlyWith ?? [])];
  if (template.stages.length + (template.onlyWith?.length ?? 0) < 2 || template.ends?.[0] === "*")
    return false;
  if (
    cluster.some(({ stem }) => stem === step.stem) ||
    ![...cluster, step].every(({ stem }) => parts.includes(stem))
  )
    return false;
  // Stages that all ended in order are followed by those of another time.
  const lastAt = Math.max(...cluster.map((one) => one.lastAt));
  const isOver = template.stages.every((stage) =>
    cluster.some((one) => one.stem === stage && lastAttempt(one).outcome !== "open"),
  );
  return !isOver && step.firstAt - lastAt <= stagesApartMsMax;
}
