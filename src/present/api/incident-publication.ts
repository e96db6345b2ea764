import type { IncidentDossier } from "../../correlate/incident-dossier.ts";
import { assembleDossier, blocksPublishing, freezeTimes } from "../../correlate/incident-assembly.ts";
import { exportIncident, hashReport } from "../../correlate/incident-export.ts";
import { findLeaks } from "../../correlate/incident-leak.ts";
import { composeReport, type IncidentReport } from "../../correlate/incident-report.ts";
import { escapeMarkdown } from "../../correlate/incident-text.ts";
import { IsochronError } from "../../errors.ts";
import { foldIncident, refusalOf } from "../../model/incident-fold.ts";
import type { Incident, IncidentChange } from "../../model/incident.ts";
import { formatInstant, type Instant } from "../../model/instant.ts";
import { canonicalJson } from "../../model/json.ts";
import { domainKey, parseTenantKey, type TenantKey } from "../../model/tenant.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { IncidentAppend, IncidentEditionDraft } from "../../store/incident-store.ts";
import type { ApiContext } from "./api-context.ts";
import { gatherTelling, openScope, readTenantEditions } from "./incident-material.ts";
import type { TenantList } from "./tenant-directory.ts";

type Parts = Pick<ApiContext, "store" | "directory" | "clock">;

/** Who writes into an incident that is at the version, and how the audit is told. */
export interface Writing {
  readonly by: string;
  readonly at: Instant;
  readonly expectedVersion: number;
  readonly audit: (incident: Incident) => AuditRecord;
}

/**
 * Freezes an incident as every provider may read it, with the times as they stand, and writes what its tenants are told.
 * Throws `incident-invalid` where something has to be mended first.
 */
export async function publishIncident(
  parts: Parts,
  incident: Incident,
  writing: Writing,
): Promise<Incident | undefined> {
  const { store } = parts;
  const { by, at } = writing;
  if (incident.state !== "published") checkReviewed(incident);
  const material = await gatherTelling(parts, incident);
  const found = assembleDossier(material);
  checkMended(found);
  const times = freezeTimes(found);
  const history = await store.incidents.history(openScope, incident.id);
  const fold = (changes: readonly IncidentChange[]): IncidentDossier => {
    const entries = changes.map((change, index) => {
      return { sequence: incident.version + 1 + index, recordedAt: at, by, change };
    });
    return assembleDossier({ ...material, incident: foldIncident(incident, [...history, ...entries]) });
  };
  const report = composeReport(fold(times), { kind: "provider" });
  const changes = [...times, { kind: "state", state: "published", hash: hashReport(report) } as const];
  return store.incidents.append(incident.id, {
    ...writing,
    changes,
    frozen: frozenText(report),
    editions: await composeEditions(parts, fold(changes)),
  });
}

/** Writes amendments, and to whom they are for the next edition: what was told stays as it was, with them behind it. */
export async function amendIncident(
  parts: Parts,
  incident: Incident,
  changes: readonly IncidentChange[],
  writing: Writing,
): Promise<Incident | undefined> {
  const { store } = parts;
  const told = changes.filter((change) => change.kind === "amendment" && change.audience !== "provider");
  const append: IncidentAppend = { ...writing, changes };
  if (incident.state !== "published" || told.length === 0) return store.incidents.append(incident.id, append);
  await checkAmendments(parts, incident, told);
  const editions: IncidentEditionDraft[] = [];
  for (const tenant of incident.tell) {
    const id = store.incidents.editionId(incident.id, tenant);
    const [latest] = await store.incidents.edition(openScope, id);
    if (latest === undefined) continue;
    const markdown = [
      latest.markdown.trimEnd(),
      ...told.map((one) => amendmentText(one, writing.at)),
      "",
    ].join("\n\n");
    editions.push({ ...(await addressOf(parts, tenant)), title: latest.title, markdown });
  }
  return store.incidents.append(incident.id, { ...append, editions });
}

/** The text whose SHA-256 is the hash: the canonical JSON of the provider's report without its status. */
export function frozenText(report: IncidentReport): string {
  const { status: _status, ...rest } = report;
  return canonicalJson(rest);
}

async function composeEditions(
  parts: Parts,
  dossier: IncidentDossier,
): Promise<readonly IncidentEditionDraft[]> {
  const editions: IncidentEditionDraft[] = [];
  for (const tenant of dossier.incident.tell) {
    const report = await composeForTenant(parts, dossier, tenant);
    const markdown = exportIncident(report, "markdown");
    editions.push({ ...(await addressOf(parts, tenant)), title: report.title, markdown });
  }
  return editions;
}

/** Under the id by which this tenant alone knows it, and of events what it is shown of them. */
export async function composeForTenant(
  parts: Parts,
  dossier: IncidentDossier,
  tenant: TenantKey,
): Promise<IncidentReport> {
  const { incident } = dossier;
  const id = parts.store.incidents.editionId(incident.id, tenant);
  const byPin = await readTenantEditions(parts, incident, tenant);
  return composeReport(
    { ...dossier, incident: { ...incident, id } },
    { kind: "tenant", key: tenant, editions: { tenant, byPin } },
  );
}

async function addressOf(
  { directory }: Parts,
  tenant: TenantKey,
): Promise<Pick<IncidentEditionDraft, "tenant" | "domain">> {
  const domain = domainOf(tenant, await directory.list());
  return { tenant, ...(domain === undefined ? {} : { domain }) };
}

/** The domain that a project is part of now. */
function domainOf(tenant: TenantKey, tenants: TenantList): TenantKey | undefined {
  const { controlPlane, projectId } = parseTenantKey(tenant);
  const domainId = projectId === undefined ? undefined : tenants.find(tenant)?.domainId;
  return domainId === undefined ? undefined : domainKey(controlPlane, domainId);
}

function checkReviewed(incident: Incident): void {
  const published = { kind: "state", state: "published", hash: "0".repeat(64) } as const;
  if (refusalOf(incident, published) === undefined) return;
  throw new IsochronError(
    "incident-invalid",
    "It was not reviewed as it stands.",
    "Have it reviewed; whatever is changed after a review makes a draft of it again.",
  );
}

function checkMended(dossier: IncidentDossier): void {
  if (!blocksPublishing(dossier)) return;
  const blocking = dossier.checks.filter(({ severity }) => severity === "blocks");
  throw new IsochronError(
    "incident-invalid",
    `Before it is published: ${blocking.map(({ says }) => says).join(" ")}`,
    "Mend what is told, or set it right by hand; the incident's checks list all of it.",
  );
}

/** An amendment is told in its writer's own words, so nothing that names another may stand in them. */
async function checkAmendments(
  parts: Parts,
  incident: Incident,
  told: readonly IncidentChange[],
): Promise<void> {
  const dossier = assembleDossier(await gatherTelling(parts, incident));
  const leaks = told
    .flatMap((change) => (change.kind === "amendment" ? findLeaks(change.text, dossier) : []))
    .filter(({ certain }) => certain);
  if (leaks.length === 0) return;
  throw new IsochronError(
    "incident-invalid",
    `The amendment names what its readers must not know: ${leaks
      .slice(0, 5)
      .map(({ found }) => found)
      .join(", ")}.`,
    "Say it without names and ids, or amend it for the provider.",
  );
}

function amendmentText(change: IncidentChange, at: Instant): string {
  const text = change.kind === "amendment" ? change.text : "";
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return [`## Amendment of ${formatInstant(at)}`, ...lines.map(escapeMarkdown)].join("\n\n");
}
