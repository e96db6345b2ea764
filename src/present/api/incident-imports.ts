import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { readIncidentDocument, type IncidentImport } from "../../correlate/incident-import.ts";
import type { Incident, IncidentChange } from "../../model/incident.ts";
import type { ApiContext } from "./api-context.ts";
import {
  importIncidentSchema,
  incidentImportedSchema,
  type ImportIncident,
  type IncidentImportedJson,
} from "./incident-contract.ts";
import { toIncidentJson } from "./incident-json.ts";
import { auditOf, invalid } from "./incident-writing.ts";
import { notFound } from "./problem.ts";
import { admitting, decider } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

const bodyLimit = 2 * 1024 * 1024;
/** More rows than this are no timeline that people wrote. */
const changesMax = 5_000;

/** Incidents out of documents that people wrote. */
export function incidentImports(context: ApiContext): FastifyPluginAsyncZod {
  const { store, clock } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.post(
      "/incidents/import",
      {
        bodyLimit,
        schema: {
          summary: "Make an incident of a timeline in Markdown or CSV, or append it to one (providers)",
          description: "In a browser's session it needs the header `X-Isochron-CSRF: 1`.",
          querystring: z.strictObject({}),
          body: importIncidentSchema,
          response: { 200: incidentImportedSchema, 201: incidentImportedSchema },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const { scope } = readingScope(request);
        const standing =
          body.incident === undefined ? undefined : await store.incidents.find(scope, body.incident);
        if (body.incident !== undefined && standing === undefined) throw notFound();
        const read = readIncidentDocument(toDocument(body, standing));
        const replaced = countReplaced(read.changes, standing);
        const told = toImportedJson(read, replaced);
        if (body.dry_run || read.changes.length === 0) return reply.code(200).send(told);
        if (read.changes.length > changesMax)
          throw invalid(`It has more than ${changesMax} rows and times.`, "Import it in parts.");
        if (replaced > 0 && !body.replace)
          throw invalid(
            `${replaced} rows of ${body.name} are in it already and say something else.`,
            "Give this part a name of its own, or say that it replaces them.",
          );
        const by = decider(request);
        const audit = auditOf(context, request, {
          imported: true,
          rows: read.used,
          ...(standing === undefined ? { opened: true } : {}),
        });
        const writing = { by, at: clock(), audit };
        if (standing === undefined) {
          const changes = entitle(read.changes, body);
          const { incident } = await store.incidents.open({ ...writing, origin: "import", changes });
          return reply.code(201).send({ ...told, incident: toIncidentJson(incident) });
        }
        const incident = await store.incidents.append(standing.id, {
          ...writing,
          expectedVersion: body.expected_version ?? standing.version,
          // What it is called and how bad it is was decided by whoever opened it.
          changes: read.changes.filter(({ kind }) => !["title", "severity", "window"].includes(kind)),
        });
        if (incident === undefined) throw notFound();
        return reply.code(200).send({ ...told, incident: toIncidentJson(incident) });
      },
    );
  };
}

function toDocument(body: ImportIncident, standing: Incident | undefined) {
  const { name, text, format, time_zone: timezone, date } = body;
  return {
    name,
    text,
    format,
    ...(timezone === undefined ? {} : { timezone }),
    ...(date === undefined ? {} : { date }),
    ...(standing === undefined ? {} : { things: standing.things }),
  };
}

/** The importer's word stands behind the document's, so that it is the one that holds; without any, the file's name does. */
function entitle(
  changes: readonly IncidentChange[],
  { title, name }: ImportIncident,
): readonly IncidentChange[] {
  const isNamed = changes.some(({ kind }) => kind === "title");
  if (title === undefined && isNamed) return changes;
  return [...changes, { kind: "title", title: title ?? name }];
}

/** A second part of a document under the name of the first would take the place of its rows. */
function countReplaced(changes: readonly IncidentChange[], standing: Incident | undefined): number {
  const rows = new Map(standing?.rows.map((row) => [`${row.row} ${row.document}`, row]));
  return changes.filter((change) => {
    if (change.kind !== "row") return false;
    const { row, document, at, text } = change.row;
    const before = rows.get(`${row} ${document}`);
    return before !== undefined && (before.at !== at || before.text !== text);
  }).length;
}

function toImportedJson(
  { lines, used, withoutTime, setAside }: IncidentImport,
  replaced: number,
): IncidentImportedJson {
  return {
    lines,
    used,
    without_time: withoutTime,
    replaced,
    set_aside: setAside.map(({ line, text, code, remedy }) => ({ line, text, code, remedy })),
  };
}
