import type { EntityRef, Related } from "../../model/entity.ts";
import type { Attribution, Evidence, OperationKey, StoredEvent } from "../../model/event.ts";
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { Hole } from "../../model/source-health.ts";
import { ownConnection } from "../../model/own-connection.ts";
import type { TenantRef } from "../../model/tenant.ts";
import type { Coverage, TenantEvent, VisibleEvent } from "../../store/event-reader.ts";
import type { z } from "zod";
import type { attributionSchema, CoverageJson, EntityJson, EventJson, EvidenceJson } from "./contract.ts";
import type { TenantList } from "./tenant-directory.ts";

export type AttributionJson = z.infer<typeof attributionSchema>;

/** The canonical event: whole for the provider, the edition and nothing else for a tenant. */
export function toEventJson(visible: VisibleEvent, tenants: TenantList): EventJson {
  return visible.audience === "tenant"
    ? toTenantJson(visible.event, tenants)
    : toProviderJson(visible.event, tenants);
}

function toTenantJson(event: TenantEvent, tenants: TenantList): EventJson {
  const own = tenants.toTenantJson(event.tenant);
  return {
    id: event.id,
    ...toSharedJson(event),
    attribution: {
      status: event.notice ? "affected" : "owned",
      domain_id: event.tenant.domainId ?? null,
      project_id: event.tenant.projectId ?? null,
      domain_name: own.domain_name,
      project_name: own.project_name,
      affected: [],
      evidence: [],
      because: event.because,
    },
    summary: event.summary,
    details: event.details,
  };
}

function toProviderJson(event: StoredEvent, tenants: TenantList): EventJson {
  const { actor } = event;
  return {
    id: event.id,
    connection: event.connection,
    source: event.source,
    key: event.key,
    source_ids: [...event.sourceIds],
    ...toSharedJson(event),
    visibility: event.visibility,
    actor:
      actor === undefined
        ? undefined
        : {
            user_id: actor.userId,
            user_name: actor.userName,
            project_id: actor.projectId,
            domain_id: actor.domainId,
            address: actor.address,
          },
    attribution: toAttributionJson(event.attribution, event.controlPlane, tenants),
    summary: event.summary,
    details: event.details,
    changes: event.changes?.map(({ field, before, after }) => ({ field, before, after })),
  };
}

/** The fields that both audiences see; named one by one, so that a new field of the model reaches no tenant by itself. */
function toSharedJson(event: StoredEvent | TenantEvent) {
  return {
    occurred_at: formatInstant(event.occurredAt),
    recorded_at: formatInstant(event.recordedAt),
    precision_ms: event.precision,
    type: event.type,
    kind: event.kind,
    category: event.category,
    phase: event.phase,
    severity: event.severity,
    subject: toEntityJson(event.subject, event.subjectName),
    related: event.related.map(toRelatedJson),
    operation: toOperationJson(event.operation),
  };
}

export function toEntityJson(ref: EntityRef, name?: string): EntityJson {
  return { kind: ref.kind, id: ref.id, ...(name === undefined ? {} : { name }) };
}

function toRelatedJson(related: Related): EntityJson & { role: string } {
  return { role: related.role, ...toEntityJson(related.ref, related.name) };
}

function toOperationJson(operation: OperationKey | undefined): EventJson["operation"] {
  if (operation === undefined) return undefined;
  return {
    request_id: operation.requestId,
    global_request_id: operation.globalRequestId,
    workflow_id: operation.workflowId,
  };
}

/** For the provider: with evidence, candidates and names. */
export function toAttributionJson(
  attribution: Attribution,
  controlPlane: string,
  tenants: TenantList,
): AttributionJson {
  const ownerRef = ownerOf(attribution);
  const owner = ownerRef === undefined ? undefined : tenants.toProviderJson(ownerRef);
  const affected = attribution.status === "shared" ? attribution.affected : [];
  return {
    status: attribution.status,
    control_plane: owner?.control_plane ?? controlPlane,
    domain_id: owner?.domain_id ?? null,
    project_id: owner?.project_id ?? null,
    domain_name: owner?.domain_name,
    project_name: owner?.project_name,
    customer_id: owner?.customer_id,
    customer_name: owner?.customer_name,
    affected: affected.map(({ tenant, resources }) => ({
      ...tenants.toProviderJson(tenant),
      resources: resources.map((ref) => toEntityJson(ref)),
    })),
    ...(attribution.status === "ambiguous"
      ? { candidates: attribution.candidates.map((tenant) => tenants.toProviderJson(tenant)) }
      : {}),
    evidence: attribution.evidence.map(toEvidenceJson),
  };
}

/** Also the provider's own project or domain, where that is the owner. */
function ownerOf(attribution: Attribution): TenantRef | undefined {
  if (attribution.status === "owned") return attribution.tenant;
  return attribution.status === "provider" ? attribution.own : undefined;
}

export function toEvidenceJson(evidence: Evidence): EvidenceJson {
  const { from, to, source } = evidence;
  return {
    rule: evidence.rule,
    verdict: evidence.verdict,
    confidence: evidence.confidence,
    says: evidence.says,
    from: from === undefined ? undefined : toEntityJson(from),
    to: to === undefined ? undefined : toEntityJson(to),
    source: source === undefined ? undefined : { connection: source.connection, source_id: source.sourceId },
    valid_from: formatOptional(evidence.validFrom),
    valid_until: formatOptional(evidence.validUntil),
  };
}

/**
 * How far the answer can be relied on; tenants learn the moment, not the connections. What is decided here is no source
 * that could be behind.
 */
export function toCoverageJson(coverage: Coverage, audience: "provider" | "tenant"): CoverageJson {
  return {
    complete_to: formatOptional(coverage.completeTo) ?? null,
    holes: coverage.holes.map(toSpanJson),
    connections:
      audience === "tenant"
        ? []
        : coverage.connections
            .filter(({ connection }) => connection !== ownConnection.name)
            .map(({ connection, state, completeTo }) => ({
              connection,
              state,
              complete_to: formatOptional(completeTo) ?? null,
            })),
  };
}

/** The span and nothing else, whatever else a hole knows of itself. */
export function toSpanJson({ from, to }: Pick<Hole, "from" | "to">): { from: string; to: string } {
  return { from: formatInstant(from), to: formatInstant(to) };
}

export function formatOptional(at: Instant | undefined): string | undefined {
  return at === undefined ? undefined : formatInstant(at);
}
