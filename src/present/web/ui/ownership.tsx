import { useEffect, useState } from "preact/hooks";
import type { EventJson, OwnershipJson } from "../../api/contract.ts";
import type { TenantJson } from "../../api/tenancy-contract.ts";
import { readApi, RequestFailure } from "../state/client.ts";
import { nameEntity } from "../state/entity-names.ts";
import { nameIds, shortId } from "../state/grouping.ts";
import { isProvider, tenantNames } from "../state/session.ts";
import { view } from "../state/timeline-state.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { EvidenceChain } from "./evidence-chain.tsx";

type Attribution = OwnershipJson["attribution"];

/** Why the event belongs to its tenant: hop by hop for the provider, one plain line for a tenant. */
export function Ownership({ event }: { event: EventJson }) {
  const [answer, setAnswer] = useState<OwnershipJson | undefined>(undefined);
  const [failure, setFailure] = useState<RequestFailure | undefined>(undefined);
  const provider = isProvider.value;
  // An event that was attributed anew while it is shown is asked about again.
  const owner = JSON.stringify([event.attribution.status, event.attribution.project_id]);
  useEffect(() => {
    if (!provider) return undefined;
    let gone = false;
    readApi<OwnershipJson>(`events/${encodeURIComponent(event.id)}/ownership`).then(
      (found) => {
        if (gone) return;
        setFailure(undefined);
        setAnswer(found);
      },
      (error: unknown) => {
        if (!(error instanceof RequestFailure)) throw error;
        if (!gone) setFailure(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [event.id, owner, provider]);
  if (!provider) {
    return (
      <p class="because">{event.attribution.because ?? "Shown because it concerns one of your resources."}</p>
    );
  }
  if (failure !== undefined) return <ErrorNotice failure={failure} />;
  if (answer === undefined) return <div class="part" aria-busy="true" />;
  return <Chain answer={answer} event={event} />;
}

function Chain({ answer, event }: { answer: OwnershipJson; event: EventJson }) {
  const { attribution } = answer;
  const { zone } = view.value;
  return (
    <section class="part ownership" aria-labelledby="ownership-title">
      <h3 id="ownership-title">{isWaiting(attribution) ? "Why it has no owner yet" : "Why this tenant"}</h3>
      <p class="ownership-summary">{nameIds(capitalise(answer.summary), tenantNames.value)}</p>
      <EvidenceChain event={event} evidence={attribution.evidence} zone={zone} {...ownerOf(attribution)} />
      {attribution.affected.length > 0 && <Affected tenants={attribution.affected} />}
      {attribution.candidates !== undefined && attribution.candidates.length > 0 && (
        <p class="dim">Candidates: {attribution.candidates.map(tenantWords).join(", ")}</p>
      )}
      {answer.done_by !== undefined && <DoneBy by={answer.done_by} />}
      {answer.history.length > 0 && <Earlier answer={answer} zone={zone} />}
    </section>
  );
}

/** The owning project, or else the owning domain. */
function ownerOf({ project_id: project, domain_id: domain }: Attribution): {
  owner?: { kind: string; id: string };
} {
  if (project !== null) return { owner: { kind: "project", id: project } };
  return domain === null ? {} : { owner: { kind: "domain", id: domain } };
}

export function isWaiting({ status }: Pick<Attribution, "status">): boolean {
  return status === "ambiguous" || status === "unresolved";
}

/** The one who acted, set apart: nobody owns a thing by having touched it. */
function DoneBy({ by }: { by: NonNullable<OwnershipJson["done_by"]> }) {
  const who = by.user_name ?? by.user_id;
  const project = by.project_name ?? by.project_id;
  return (
    <p class="done-by">
      Done by <strong>{who === undefined ? "an account that is not named" : shortId(who)}</strong>
      {project !== undefined && `, signed in for project ${nameIds(project, tenantNames.value)}`}.{" "}
      <span class="dim">
        {by.is_owner
          ? "That is the owner’s own project, but the answer does not rest on it."
          : "Not the owner: who does something is never taken for whose it is."}
      </span>
    </p>
  );
}

interface Answer {
  readonly recorded_at: string;
  readonly arrived?: { readonly connection: string; readonly source_id: string } | undefined;
  readonly attribution: Attribution;
}

/** Who knew what when: each answer from when it was recorded on, and the record that made it differ. */
function Earlier({ answer, zone }: { answer: OwnershipJson; zone: string }) {
  const now: Answer[] =
    answer.recorded === undefined ? [] : [{ ...answer.recorded, attribution: answer.attribution }];
  const answers: readonly Answer[] = [...answer.history, ...now];
  return (
    <div class="earlier">
      <h4>What was known when</h4>
      <ol>
        {answers.map((one) => (
          <li key={one.recorded_at}>
            <time>from {formatMoment(Date.parse(one.recorded_at), zone)}</time>
            <span>{capitalise(ownershipWords(one.attribution))}</span>
            {one.arrived !== undefined && (
              <span class="dim" title={one.arrived.source_id}>
                when {one.arrived.connection} told record {shortId(one.arrived.source_id)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Whose an attribution says it is, in a few words. */
export function ownershipWords(attribution: Attribution): string {
  switch (attribution.status) {
    case "owned":
    case "affected":
      return tenantWords({
        control_plane: attribution.control_plane ?? "",
        domain_id: attribution.domain_id ?? undefined,
        project_id: attribution.project_id ?? undefined,
        domain_name: attribution.domain_name,
        project_name: attribution.project_name,
      });
    case "shared":
      return `the provider’s; ${attribution.affected.length} ${attribution.affected.length === 1 ? "tenant" : "tenants"} affected`;
    case "provider":
      return "the provider’s own";
    case "ambiguous":
      return `several are possible: ${(attribution.candidates ?? []).map(tenantWords).join(", ")}`;
    case "unresolved":
      return "nothing said whose it was";
  }
}

function Affected({ tenants }: { tenants: Attribution["affected"] }) {
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
  const names = tenantNames.value;
  const word = (id: string | undefined, name: string | undefined, known: ReadonlyMap<string, string>) =>
    id === undefined ? name : (name ?? known.get(id) ?? shortId(id));
  const domain = word(tenant.domain_id, tenant.domain_name, names.domains);
  const project = word(tenant.project_id, tenant.project_name, names.projects);
  return [domain, project].filter((part) => part !== undefined).join(" / ");
}

function capitalise(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
