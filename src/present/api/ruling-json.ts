import { formatInstant, instant } from "../../model/instant.ts";
import type { RulingAnswer, RulingMatch } from "../../model/ruling.ts";
import { explainReason } from "../../model/unproven.ts";
import type { RulingVersion } from "../../store/ruling-store.ts";
import { formatOptional, toAttributionJson, toEntityJson, toEventJson } from "./event-json.ts";
import type {
  DryRunJson,
  RulingAnswerJson,
  RulingJson,
  RulingMatchJson,
  RulingVersionJson,
} from "./quarantine-contract.ts";
import type { DryRun, StandingRuling } from "./ruling-parts.ts";
import type { TenantJson } from "./tenancy-contract.ts";
import type { TenantList } from "./tenant-directory.ts";

export function readMatch(json: RulingMatchJson): RulingMatch {
  const { event_id: eventId, control_plane: controlPlane, connection, type, subject, alias, from, to } = json;
  return {
    ...(eventId === undefined ? {} : { eventId }),
    ...(controlPlane === undefined ? {} : { controlPlane }),
    ...(connection === undefined ? {} : { connection }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject }),
    ...(alias === undefined ? {} : { alias }),
    ...(from === undefined ? {} : { from: instant(Date.parse(from)) }),
    ...(to === undefined ? {} : { to: instant(Date.parse(to)) }),
  };
}

export function readAnswer(json: RulingAnswerJson): RulingAnswer {
  if (json.kind === "provider") return { kind: "provider" };
  return "project_id" in json
    ? { kind: "tenant", owner: { kind: "project", id: json.project_id } }
    : { kind: "tenant", owner: { kind: "domain", id: json.domain_id } };
}

export function toRulingJson(
  { id, versions, events, atLeast }: StandingRuling,
  tenants: TenantList,
): RulingJson {
  const [latest] = versions;
  return {
    id,
    state: latest.withdrawn ? "withdrawn" : "in-force",
    ...toVersionJson(latest, tenants),
    events,
    at_least: atLeast,
    versions: versions.map((version) => toVersionJson(version, tenants)),
  };
}

function toVersionJson(version: RulingVersion, tenants: TenantList): RulingVersionJson {
  const { match } = version;
  return {
    version: version.version,
    withdrawn: version.withdrawn,
    match: {
      event_id: match.eventId,
      control_plane: match.controlPlane,
      connection: match.connection,
      type: match.type,
      subject: match.subject === undefined ? undefined : toEntityJson(match.subject),
      alias: match.alias === undefined ? undefined : toEntityJson(match.alias),
      from: formatOptional(match.from),
      to: formatOptional(match.to),
    },
    answer: toAnswerJson(version, tenants),
    by: version.by,
    why: version.why,
    decided_at: formatInstant(version.decidedAt),
  };
}

function toAnswerJson(
  { answer, match: { controlPlane = "" } }: Pick<RulingVersion, "answer" | "match">,
  tenants: TenantList,
): RulingVersionJson["answer"] {
  if (answer.kind === "provider") return { kind: "provider" };
  const { kind, id } = answer.owner;
  const tenant = kind === "project" ? { controlPlane, projectId: id } : { controlPlane, domainId: id };
  return { kind: "tenant", tenant: tenants.toJson(tenants.inDomain(tenant)) };
}

export function toDryRunJson(dry: DryRun, tenants: TenantList): DryRunJson {
  const byTenant = dry.byTenant.map(({ tenant, events, notShown }) => ({
    tenant: tenants.toJson(tenants.inDomain(tenant)),
    events,
    not_shown: notShown,
  }));
  return {
    digest: dry.digest,
    summary: summarise(dry, byTenant),
    matching: dry.matching,
    truncated: dry.truncated,
    leave: dry.leave,
    stay: dry.stay,
    stay_because: dry.stayBecause.map(({ reason, events }) => ({
      reason,
      says: explainReason(reason),
      events,
    })),
    by_tenant: byTenant,
    not_shown: dry.notShown,
    provider: dry.provider,
    second_tenant: dry.secondTenant,
    contradicted: dry.contradicted,
    examples: dry.examples.map(({ event, wouldBe }) => ({
      event: toEventJson({ audience: "provider", event }, tenants),
      would_be: toAttributionJson(wouldBe, event.controlPlane, tenants),
    })),
  };
}

function summarise(dry: DryRun, byTenant: DryRunJson["by_tenant"]): string {
  const leaving = [
    ...byTenant.map(({ tenant, events, not_shown: hidden }) => {
      const unseen = hidden === 0 ? "" : ` (${hidden} of them not shown to it)`;
      return `${events} → ${nameOf(tenant)}${unseen}`;
    }),
    ...(dry.provider === 0 ? [] : [`${dry.provider} → the provider`]),
  ];
  const parts = [
    `${dry.leave} leave${leaving.length === 0 ? "" : `: ${leaving.join(", ")}`}`,
    ...(dry.stay === 0 ? [] : [`${dry.stay} stay`]),
    ...(dry.contradicted === 0 ? [] : [`${dry.contradicted} are taken from an owner whom facts prove`]),
    `${dry.secondTenant} become visible to a second tenant`,
  ];
  return `${dry.truncated ? "at least " : ""}${parts.join("; ")}`;
}

/** `acme/prod`: many domains have a `prod`. Where the domain is not known the id tells equal names apart. */
function nameOf({ domain_name, domain_id, project_name, project_id }: TenantJson): string {
  const domain = domain_name ?? domain_id;
  if (project_id === undefined) return domain ?? "";
  if (domain !== undefined) return `${domain}/${project_name ?? project_id}`;
  return project_name === undefined ? project_id : `${project_name} (${project_id})`;
}
