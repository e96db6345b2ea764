import type { EntityJson, EventJson, EvidenceJson } from "../../api/contract.ts";
import { nameEntity } from "../state/entity-names.ts";
import {
  layPath,
  rejectionWords,
  relationWords,
  type PathHop,
  type PathStretch,
} from "../state/evidence-path.ts";
import { nameIds, resourcePath, shortId } from "../state/grouping.ts";
import { tenantNames } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ConfidenceMark } from "./confidence-mark.tsx";
import { Link } from "./link.tsx";

interface ChainOf {
  readonly event: Pick<EventJson, "subject" | "related">;
  readonly evidence: readonly EvidenceJson[];
  readonly zone: string;
  /** The thing that owns the event, to be marked where the path reaches it. */
  readonly owner?: Pick<EntityJson, "kind" | "id">;
}

/** The accepted steps as paths from thing to thing, and behind a fold what was not used, with its reason. */
export function EvidenceChain({ event, evidence, zone, owner }: ChainOf) {
  const names = [event.subject, ...event.related];
  const refused = evidence.filter((step) => step.verdict === "rejected");
  // A step that leads nowhere was no candidate: it says what is lacking.
  const rejected = refused.filter((step) => step.to !== undefined);
  const lacking = refused.filter((step) => step.to === undefined);
  const paths = layPath(
    evidence.filter((step) => step.verdict === "accepted"),
    names,
  );
  return (
    <>
      {paths.length > 0 && (
        <ol class="hops">
          {paths.map((path, index) => (
            <Stretch key={`${index} ${path.hops[0]?.step.says}`} path={path} zone={zone} owner={owner} />
          ))}
        </ol>
      )}
      {lacking.length > 0 && (
        <ul class="lacking">
          {lacking.map((step) => (
            <RejectedStep key={`${step.rule} ${step.says}`} step={step} zone={zone} />
          ))}
        </ul>
      )}
      {rejected.length > 0 && <Rejected steps={rejected} zone={zone} />}
    </>
  );
}

type Owner = ChainOf["owner"];

function Stretch({ path, zone, owner }: { path: PathStretch; zone: string; owner: Owner }) {
  return (
    <>
      {path.start !== undefined && <Node entity={path.start} owner={owner} />}
      {path.hops.map((hop, index) => (
        <Hop key={`${index} ${hop.step.says}`} hop={hop} zone={zone} owner={owner} />
      ))}
    </>
  );
}

function Node({ entity, owner }: { entity: EntityJson; owner: Owner }) {
  const owns = owner !== undefined && owner.kind === entity.kind && owner.id === entity.id;
  return (
    <li class={`node${owns ? " owns" : ""}`}>
      <Entity entity={entity} />
      {owns && <span class="tag">owner</span>}
    </li>
  );
}

function Hop({ hop, zone, owner }: { hop: PathHop; zone: string; owner: Owner }) {
  const { step, to, turned } = hop;
  const says = nameIds(step.says, tenantNames.value);
  return (
    <>
      <li class={`hop hop-${step.confidence}`}>
        <p class="hop-words" title={says}>
          {to !== undefined && <span aria-hidden="true">{turned ? "↑ " : "↓ "}</span>}
          {turned && <span class="visually-hidden">the next one </span>}
          {nameIds(hop.words, tenantNames.value)}
        </p>
        <HopFacts step={step} zone={zone} />
      </li>
      {to !== undefined && <Node entity={to} owner={owner} />}
    </>
  );
}

function HopFacts({ step, zone }: { step: EvidenceJson; zone: string }) {
  return (
    <p class="hop-facts">
      {step.to !== undefined || step.verdict === "accepted" ? (
        <ConfidenceMark confidence={step.confidence} />
      ) : null}
      <code>{step.rule}</code>
      {step.valid_from !== undefined && (
        <span>
          valid {formatMoment(Date.parse(step.valid_from), zone)} →{" "}
          {step.valid_until === undefined ? "still" : formatMoment(Date.parse(step.valid_until), zone)}
        </span>
      )}
      {step.source !== undefined && (
        <span title={step.source.source_id}>
          {step.source.connection}, record {shortId(step.source.source_id)}
        </span>
      )}
    </p>
  );
}

function Rejected({ steps, zone }: { steps: readonly EvidenceJson[]; zone: string }) {
  return (
    <details class="rejected">
      <summary>
        {steps.length === 1 ? "1 trace was not used" : `${steps.length} traces were not used`}
      </summary>
      <ul>
        {steps.map((step) => (
          <RejectedStep key={`${step.rule} ${step.says} ${step.to?.id}`} step={step} zone={zone} />
        ))}
      </ul>
    </details>
  );
}

function RejectedStep({ step, zone }: { step: EvidenceJson; zone: string }) {
  return (
    <li>
      <span class="hop-sign" aria-hidden="true">
        ✗
      </span>
      <div>
        {step.from !== undefined && step.to !== undefined && (
          <p>
            <Entity entity={step.from} /> <span class="dim">{between(step)}</span> <Entity entity={step.to} />
          </p>
        )}
        <p class="rejection">{nameIds(rejectionWords(step), tenantNames.value)}</p>
        <HopFacts step={step} zone={zone} />
      </div>
    </li>
  );
}

/** The relation in words, or an arrow where the sentence has no such form and is told below anyway. */
function between(step: EvidenceJson): string {
  const words = relationWords(step);
  return words === step.says ? "→" : words;
}

function Entity({ entity }: { entity: EntityJson }) {
  const name = nameEntity(entity);
  return (
    <Link href={resourcePath(entity)} title={entity.id} class="entity">
      <span class="entity-kind">{entity.kind.replaceAll("_", " ")}</span> {name}
    </Link>
  );
}
