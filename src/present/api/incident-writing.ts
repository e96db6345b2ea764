import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { Incident, IncidentChange } from "../../model/incident.ts";
import { instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { TenantKey } from "../../model/tenant.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { EventFilter } from "../../store/event-reader.ts";
import { incidentChanged } from "../../store/incident-store.ts";
import type { ApiContext } from "./api-context.ts";
import { parseTime } from "./event-filter.ts";
import {
  appendEntriesSchema,
  incidentSchema,
  openedIncidentSchema,
  openIncidentSchema,
  type OpenIncident,
} from "./incident-contract.ts";
import { readChange, toIncidentJson } from "./incident-json.ts";
import { amendIncident, publishIncident, type Writing } from "./incident-publication.ts";
import { incidentParams } from "./incident-routes.ts";
import { notFound } from "./problem.ts";
import { admit, admitting, decider } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
const bodyLimit = 1024 * 1024;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";
export const pinsMax = 200;

/** What the provider's people write into incidents. */
export function incidentWriting(context: ApiContext): FastifyPluginAsyncZod {
  const { store, clock } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.post(
      "/incidents",
      {
        bodyLimit,
        schema: {
          summary: "Open an incident: by hand, from a selection of events, or for a rule (providers)",
          description,
          querystring: noQuery,
          body: openIncidentSchema,
          response: { 200: openedIncidentSchema, 201: openedIncidentSchema },
        },
      },
      async (request, reply) => {
        const { scope } = readingScope(request);
        const { rule } = request.body;
        const { changes, selected } = await readOpening(context, scope, request.body);
        const { incident, fresh } = await store.incidents.open({
          origin: rule !== undefined ? "rule" : selected ? "selection" : "hand",
          by: decider(request),
          at: clock(),
          changes,
          ...(rule === undefined ? {} : { key: rule }),
          audit: auditOf(context, request, { opened: true }),
        });
        return reply.code(fresh ? 201 : 200).send({ incident: toIncidentJson(incident), fresh });
      },
    );
    app.post(
      "/incidents/:id/entries",
      {
        bodyLimit,
        schema: {
          summary: "Write into an incident; nothing is taken away by it (providers)",
          description,
          params: incidentParams,
          querystring: noQuery,
          body: appendEntriesSchema,
          response: { 200: incidentSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        const { scope } = readingScope(request);
        const { expected_version: expectedVersion } = request.body;
        const incident = await store.incidents.find(scope, id);
        if (incident === undefined) throw notFound();
        // What is frozen and told is made of what was read here, so that it has to be what the writer saw.
        if (incident.version !== expectedVersion) throw incidentChanged(incident.version, expectedVersion);
        const by = decider(request);
        const changes = request.body.changes.map((given) => readChange(given, by));
        await checkChanges(context, scope, incident, changes);
        const kinds = [...new Set(changes.map(({ kind }) => kind))];
        const audit = auditOf(context, request, { kinds });
        const writing: Writing = { by, at: clock(), expectedVersion, audit };
        const after = changes.some(isPublication)
          ? await publishIncident(context, incident, writing)
          : await amendIncident(context, incident, changes, writing);
        if (after === undefined) throw notFound();
        return toIncidentJson(after);
      },
    );
  };
}

function isPublication(change: IncidentChange): boolean {
  return change.kind === "state" && change.state === "published";
}

/** Told in the transaction of what it tells of, and by ids alone: what people wrote stays where it can be erased. */
export function auditOf(
  { clock }: ApiContext,
  request: FastifyRequest,
  details: NonNullable<AuditRecord["details"]>,
): (incident: Incident) => AuditRecord {
  const { subject, name } = admit(request, "decide");
  return ({ id, state, version }) => ({
    at: clock(),
    action: "incident",
    outcome: "done",
    actor: { id: subject, name, address: request.ip },
    object: `incident:${id}`,
    details: { ...details, state, version },
  });
}

/** Throws `incident-invalid` and `tenant-unknown` for what the store cannot know to be wrong. */
export async function checkChanges(
  { store, directory }: ApiContext,
  scope: Scope,
  incident: Pick<Incident, "pins" | "window">,
  changes: readonly IncidentChange[],
): Promise<void> {
  if (changes.some(isPublication) && changes.length > 1)
    throw invalid("Publishing comes by itself.", "Write the rest first, and have it reviewed.");
  const pinned = new Set(incident.pins.map(({ event }) => event));
  for (const change of changes) {
    if (change.kind === "pin") pinned.add(change.event);
    if (change.kind === "pin" && (await store.reader.event(scope, change.event)) === undefined)
      throw invalid("There is no such event, or it is not yours to see.", "Check the event's id.");
    if (change.kind === "window" && change.to !== undefined && change.to <= change.from)
      throw invalid("Its window would end before it begins.", "Give a later end.");
    if (change.kind === "tell") await checkTenants(directory, change.tenants);
  }
  if (pinned.size > pinsMax)
    throw invalid(`It would have more than ${pinsMax} pinned events.`, "Pin those that tell what happened.");
}

async function checkTenants(
  directory: ApiContext["directory"],
  tenants: readonly TenantKey[],
): Promise<void> {
  const known = await directory.list();
  const unknown = tenants.find((key) => !known.has(key));
  if (unknown === undefined) return;
  throw new IsochronError(
    "tenant-unknown",
    `There is no tenant ${unknown}.`,
    "Give keys such as project/CONTROL PLANE/ID, as `isochron tenants` lists them.",
  );
}

async function readOpening(
  { store, clock }: ApiContext,
  scope: Scope,
  body: OpenIncident,
): Promise<{ readonly changes: readonly IncidentChange[]; readonly selected: boolean }> {
  const { title, severity, events = [], selection } = body;
  const chosen = new Map<string, Instant>();
  for (const id of events) {
    const seen = await store.reader.event(scope, id);
    if (seen === undefined)
      throw invalid(`There is no event ${id}, or it is not yours to see.`, "Check the event's id.");
    chosen.set(id, seen.event.occurredAt);
  }
  if (selection !== undefined) {
    const limit = pinsMax - chosen.size;
    const page = await store.reader.timeline(scope, filterOf(selection), { limit, order: "oldest" });
    if (page.more)
      throw invalid(`The selection holds more than ${pinsMax} events.`, "Narrow it, or open without it.");
    for (const { event } of page.events) chosen.set(event.id, event.occurredAt);
  }
  const from = windowStart(body, [...chosen.values()], clock());
  const to = body.to ?? selection?.to;
  if (to !== undefined && parseTime(to) <= from)
    throw invalid("Its window would end before it begins.", "Give a later end.");
  const pins = [...chosen]
    .toSorted(([, a], [, b]) => a - b)
    .map(([event]) => ({ kind: "pin", event }) as const);
  return {
    changes: [
      { kind: "title", title },
      { kind: "severity", severity },
      { kind: "window", from, ...(to === undefined ? {} : { to: parseTime(to) }) },
      ...pins,
    ],
    selected: chosen.size > 0 || selection !== undefined,
  };
}

function windowStart({ from, selection }: OpenIncident, at: readonly Instant[], now: Instant): Instant {
  const given = from ?? selection?.from;
  if (given !== undefined) return parseTime(given);
  return at.length === 0 ? now : instant(Math.min(...at));
}

function filterOf(selection: NonNullable<OpenIncident["selection"]>): EventFilter {
  const { from, to, resource, kinds, categories, types, severity, q } = selection;
  return {
    from: parseTime(from),
    to: parseTime(to),
    ...(resource === undefined ? {} : { resource }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(categories === undefined ? {} : { categories }),
    ...(types === undefined ? {} : { types }),
    ...(severity === undefined ? {} : { severity }),
    ...(q === undefined || q === "" ? {} : { text: q }),
  };
}

export function invalid(problem: string, remedy: string): IsochronError {
  return new IsochronError("incident-invalid", problem, remedy);
}
