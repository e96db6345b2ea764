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
      <EvidenceChain event={event} evidence={attribution.evidence} zone={zone} />
      {attribution.affected.length > 0 && <Affected tenants={attribution.affected} />}
      {attribution.candidates !== undefined && attribution.candidates.length > 0 && (
        <p class="dim">Candidates: {attribution.candidates.map(tenantWords).join(", ")}</p>
      )}
      <DoneBy event={event} attribution={attribution} />
      {answer.history.length > 0 && <Earlier answer={answer} zone={zone} />}
    </section>
  );
}

export function isWaiting({ status }: Pick<Attribution, "status">): boolean {
  return status === "ambiguous" || status === "unresolved";
}

/** The one who acted, set apart: nobody owns a thing by having touched it. */
function DoneBy({ event, attribution }: { event: EventJson; attribution: Attribution }) {
  const { actor } = event;
  const who = actor?.user_name ?? actor?.user_id;
  if (actor === undefined || who === undefined) return null;
  const names = tenantNames.value;
  const project = actor.project_id;
  const at =
    project === undefined ? "" : `, signed in for project ${names.projects.get(project) ?? shortId(project)}`;
  const same = project !== undefined && project === attribution.project_id;
  return (
    <p class="done-by">
      Done by <strong>{shortId(who)}</strong>
      {at}:{" "}
      {same
        ? "the owner’s own project, though the answer does not rest on that."
        : "not the owner. Who does something is never taken for whose it is."}
    </p>
  );
}

/** Who knew what when: each answer that held before, from when it was recorded on. */
function Earlier({ answer, zone }: { answer: OwnershipJson; zone: string }) {
  return (
    <div class="earlier">
      <h4>What was known before</h4>
      <ol>
        {answer.history.map((entry) => (
          <li key={entry.recorded_at}>
            <time>{formatMoment(Date.parse(entry.recorded_at), zone)}</time>{" "}
            <span>{ownershipWords(entry.attribution)}</span>
          </li>
        ))}
        <li>
          <time>Now</time> <span>{ownershipWords(answer.attribution)}</span>
        </li>
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
