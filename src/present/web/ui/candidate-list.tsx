import type { TenantJson } from "../../api/tenancy-contract.ts";
import type { GroundJson, QuarantineGroupJson } from "../../api/quarantine-contract.ts";
import { nameIds } from "../state/grouping.ts";
import { decides, tenantNames } from "../state/session.ts";
import { tenantWords } from "./ownership.tsx";

/** Who could own the events, what speaks for each and what against, and what is lacking altogether. */
export function CandidateList(props: {
  group: Pick<QuarantineGroupJson, "candidates" | "lacks" | "sampled">;
  choose: (tenant: TenantJson) => void;
}) {
  const { candidates, lacks, sampled } = props.group;
  return (
    <section aria-labelledby="candidates-title">
      <h2 id="candidates-title">Who it could be</h2>
      {candidates.length === 0 ? (
        <p class="dim">Nothing points to any tenant.</p>
      ) : (
        <ul class="who-could">
          {candidates.map((candidate) => (
            <Candidate
              key={`${candidate.tenant.control_plane} ${candidate.tenant.domain_id} ${candidate.tenant.project_id}`}
              candidate={candidate}
              sampled={sampled}
              choose={props.choose}
            />
          ))}
        </ul>
      )}
      {lacks.length > 0 && (
        <>
          <h3>What is lacking</h3>
          <Grounds grounds={lacks} sampled={sampled} none="" />
        </>
      )}
    </section>
  );
}

function Candidate(props: {
  candidate: QuarantineGroupJson["candidates"][number];
  sampled: number;
  choose: (tenant: TenantJson) => void;
}) {
  const { candidate, sampled } = props;
  const name = tenantWords(candidate.tenant);
  return (
    <li class="card" aria-label={name}>
      <header>
        <h3>{name}</h3>
        {sampled > 1 && (
          <span class="dim">
            {candidate.events.toLocaleString("en")} of {sampled.toLocaleString("en")} looked at
          </span>
        )}
        {decides.value && (
          <button type="button" class="control" onClick={() => props.choose(candidate.tenant)}>
            Choose<span class="visually-hidden"> {name}</span>
          </button>
        )}
      </header>
      {candidate.for.length + candidate.against.length > 0 && (
        <div class="for-against">
          <div>
            <h4>
              <span class="sign-for" aria-hidden="true">
                +
              </span>{" "}
              For
            </h4>
            <Grounds grounds={candidate.for} sampled={sampled} none="Nothing." />
          </div>
          <div>
            <h4>
              <span class="sign-against" aria-hidden="true">
                −
              </span>{" "}
              Against
            </h4>
            <Grounds grounds={candidate.against} sampled={sampled} none="Nothing." />
          </div>
        </div>
      )}
    </li>
  );
}

function Grounds(props: { grounds: readonly GroundJson[]; sampled: number; none: string }) {
  if (props.grounds.length === 0) return <p class="dim">{props.none}</p>;
  return (
    <ul class="grounds">
      {props.grounds.map((ground) => (
        <li key={`${ground.rule} ${ground.says}`}>
          {nameIds(ground.says, tenantNames.value)}{" "}
          <span class="dim">
            {props.sampled > 1 && `${ground.events.toLocaleString("en")} × `}
            <code>{ground.rule}</code>
          </span>
        </li>
      ))}
    </ul>
  );
}
