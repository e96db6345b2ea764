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
}

/** The accepted steps as paths from thing to thing, and behind a fold what was not used, with its reason. */
export function EvidenceChain({ event, evidence, zone }: ChainOf) {
  const names = [event.subject, ...event.related];
  const rejected = evidence.filter((step) => step.verdict === "rejected");
  const paths = layPath(
    evidence.filter((step) => step.verdict === "accepted"),
    names,
  );
  return (
    <>
      {paths.length > 0 && (
        <ol class="hops">
          {paths.map((path, index) => (
            <Stretch key={`${index} ${path.hops[0]?.step.says}`} path={path} zone={zone} />
          ))}
        </ol>
      )}
      {rejected.length > 0 && <Rejected steps={rejected} open={paths.length === 0} zone={zone} />}
    </>
  );
}

function Stretch({ path, zone }: { path: PathStretch; zone: string }) {
  return (
    <>
      {path.start !== undefined && (
        <li class="node">
          <Entity entity={path.start} />
        </li>
      )}
      {path.hops.map((hop, index) => (
        <Hop key={`${index} ${hop.step.says}`} hop={hop} zone={zone} />
      ))}
    </>
  );
}

function Hop({ hop, zone }: { hop: PathHop; zone: string }) {
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
      {to !== undefined && (
        <li class="node">
          <Entity entity={to} />
        </li>
      )}
    </>
  );
}

function HopFacts({ step, zone }: { step: EvidenceJson; zone: string }) {
  return (
    <p class="hop-facts">
      <ConfidenceMark confidence={step.confidence} />
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

function Rejected({ steps, open, zone }: { steps: readonly EvidenceJson[]; open: boolean; zone: string }) {
  return (
    <details class="rejected" open={open}>
      <summary>
        {steps.length === 1 ? "1 trace was not used" : `${steps.length} traces were not used`}
      </summary>
      <ul>
        {steps.map((step) => (
          <li key={`${step.rule} ${step.says} ${step.to?.id}`}>
            <span class="hop-sign" aria-hidden="true">
              ✗
            </span>
            <div>
              {step.from !== undefined && step.to !== undefined && (
                <p>
                  <Entity entity={step.from} /> <span class="dim">{between(step)}</span>{" "}
                  <Entity entity={step.to} />
                </p>
              )}
              <p class="rejection">{nameIds(rejectionWords(step), tenantNames.value)}</p>
              <HopFacts step={step} zone={zone} />
            </div>
          </li>
        ))}
      </ul>
    </details>
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
