import { useEffect, useState } from "preact/hooks";
import type { EventJson, EvidenceJson, OwnershipJson, TenantJson } from "../../api/contract.ts";
import { readApi, RequestFailure } from "../state/client.ts";
import { nameIds, resourcePath, shortId } from "../state/grouping.ts";
import { nameEntity } from "../state/entity-names.ts";
import { isProvider, tenantNames } from "../state/session.ts";
import { view } from "../state/timeline-state.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Link } from "./link.tsx";

/** Why the event belongs to its tenant: hop by hop for the provider, one plain line for a tenant. */
export function Ownership({ event }: { event: EventJson }) {
  const [answer, setAnswer] = useState<OwnershipJson | undefined>(undefined);
  const [failure, setFailure] = useState<RequestFailure | undefined>(undefined);
  const provider = isProvider.value;
  useEffect(() => {
    if (!provider) return undefined;
    let gone = false;
    readApi<OwnershipJson>(`events/${encodeURIComponent(event.id)}/ownership`).then(
      (found) => {
        if (!gone) setAnswer(found);
      },
      (error: unknown) => {
        if (!(error instanceof RequestFailure)) throw error;
        if (!gone) setFailure(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [event.id, provider]);
  if (!provider) {
    return (
      <p class="because">{event.attribution.because ?? "Shown because it concerns one of your resources."}</p>
    );
  }
  if (failure !== undefined) return <ErrorNotice failure={failure} />;
  if (answer === undefined) return <div class="part" aria-busy="true" />;
  return <Chain answer={answer} />;
}

function Chain({ answer }: { answer: OwnershipJson }) {
  const { attribution } = answer;
  const accepted = attribution.evidence.filter((step) => step.verdict === "accepted");
  const rejected = attribution.evidence.filter((step) => step.verdict === "rejected");
  return (
    <section class="part ownership" aria-label="Why this tenant">
      <h3>Why this tenant</h3>
      <p class="ownership-summary">{nameIds(capitalise(answer.summary), tenantNames.value)}</p>
      <ol class="hops">
        {accepted.map((step, index) => (
          <Hop key={hopKey(step)} step={step} sign={String(index + 1)} />
        ))}
        {rejected.map((step) => (
          <Hop key={hopKey(step)} step={step} sign="✗" />
        ))}
      </ol>
      {attribution.affected.length > 0 && <Affected tenants={attribution.affected} />}
      {attribution.candidates !== undefined && attribution.candidates.length > 0 && (
        <p class="dim">Candidates: {attribution.candidates.map(tenantWords).join(", ")}</p>
      )}
      {answer.history.length > 0 && (
        <p class="dim">
          Decided anew {answer.history.length === 1 ? "once" : `${answer.history.length} times`}, last before
          this {formatMoment(Date.parse(answer.history.at(-1)?.recorded_at ?? ""), view.value.zone)}.
        </p>
      )}
    </section>
  );
}

function hopKey(step: EvidenceJson): string {
  return `${step.verdict} ${step.rule} ${step.says} ${step.from?.id} ${step.to?.id}`;
}

function Affected({ tenants }: { tenants: OwnershipJson["attribution"]["affected"] }) {
  return (
    <div class="affected">
      <h4>Affected at that moment</h4>
      <ul>
        {tenants.map((tenant) => (
          <li key={`${tenant.domain_id} ${tenant.project_id}`}>
            {tenantWords(tenant)}{" "}
            <span class="dim">{tenant.resources.map((entity) => nameEntity(entity)).join(", ")}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function tenantWords(tenant: TenantJson): string {
  const domain =
    tenant.domain_name ?? (tenant.domain_id === undefined ? undefined : shortId(tenant.domain_id));
  const project =
    tenant.project_name ?? (tenant.project_id === undefined ? undefined : shortId(tenant.project_id));
  return [domain, project].filter((word) => word !== undefined).join(" / ");
}

function capitalise(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function Hop({ step, sign }: { step: EvidenceJson; sign: string }) {
  const { zone } = view.value;
  return (
    <li class={step.verdict}>
      <span class="hop-sign" aria-hidden="true">
        {sign}
      </span>
      <div>
        <p>
          {step.verdict === "rejected" && <span class="visually-hidden">Rejected: </span>}
          <span title={step.says}>{nameIds(step.says, tenantNames.value)}</span>
        </p>
        {(step.from !== undefined || step.to !== undefined) && (
          <p class="hop-path">
            {step.from !== undefined && <Entity entity={step.from} />}
            {step.to !== undefined && (
              <>
                {" → "}
                <Entity entity={step.to} />
              </>
            )}
          </p>
        )}
        <p class="hop-facts">
          <span class={`confidence confidence-${step.confidence}`}>{step.confidence}</span>
          <code>{step.rule}</code>
          {step.source !== undefined && (
            <span title={step.source.source_id}>
              {step.source.connection}, record {shortId(step.source.source_id)}
            </span>
          )}
          {step.valid_from !== undefined && (
            <span>
              valid {formatMoment(Date.parse(step.valid_from), zone)} →{" "}
              {step.valid_until === undefined ? "…" : formatMoment(Date.parse(step.valid_until), zone)}
            </span>
          )}
        </p>
      </div>
    </li>
  );
}

function Entity({ entity }: { entity: { kind: string; id: string; name?: string | undefined } }) {
  return (
    <Link href={resourcePath(entity)} title={entity.id}>
      {entity.kind.replaceAll("_", " ")} {nameEntity(entity)}
    </Link>
  );
}
