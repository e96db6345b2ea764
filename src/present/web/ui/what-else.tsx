import { useEffect, useState } from "preact/hooks";
import type { CandidateJson, WhatElseJson } from "../../api/what-else-contract.ts";
import { announce } from "../state/announcer.ts";
import { isAbort, readApi, RequestFailure } from "../state/client.ts";
import { selectEvent } from "../state/commands.ts";
import { nameEntity } from "../state/entity-names.ts";
import { whatElse } from "../state/lanes-state.ts";
import { decides } from "../state/session.ts";
import { changeView, view } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { formatMoment } from "../time/zone.ts";
import { namelessHoles, spansWithin } from "../timeline/blind-spans.ts";
import { behindAt } from "../timeline/coverage.ts";
import { CandidateVerdict, useVerdicts, type Verdicts } from "./candidate-verdict.tsx";
import { CoverageNote } from "./coverage-note.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { Glyph, kindWords } from "./glyph.tsx";

/** What changed before an event, ranked, each with its reason. It never says "caused by". */
export function WhatElse({ of }: { of: string }) {
  const [failure, setFailure] = useState<RequestFailure | undefined>(undefined);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setFailure(undefined);
    readApi<WhatElseJson>(`what-else?event=${encodeURIComponent(of)}`, stop.signal).then(
      (answer) => {
        whatElse.value = { of, answer };
        const count = answer.candidates.length;
        announce(
          count === 0
            ? "Nothing changed before this, as far as is known."
            : `${count} earlier changes, ranked.`,
        );
      },
      (error: unknown) => {
        if (isAbort(error)) return;
        if (!(error instanceof RequestFailure)) throw error;
        setFailure(error);
      },
    );
    return () => stop.abort();
  }, [of, attempt]);
  const shown = whatElse.value;
  const answer = shown?.of === of ? shown.answer : undefined;
  return (
    <section class="part what-else" aria-labelledby="what-else-title">
      <header>
        <h3 id="what-else-title">What else changed before this</h3>
        <button type="button" class="control quiet close" onClick={() => changeView({ elseOf: undefined })}>
          <span class="visually-hidden">Close the list</span>
          <span aria-hidden="true">×</span>
        </button>
      </header>
      {failure !== undefined && <ErrorNotice failure={failure} retry={() => setAttempt(attempt + 1)} />}
      {answer !== undefined && <Answer answer={answer} />}
    </section>
  );
}

function Answer({ answer }: { answer: WhatElseJson }) {
  const { target, candidates } = answer;
  const away = target.event !== undefined && view.value.selected !== target.event.id;
  const symptom = decides.value && candidates.length > 0 ? target.event?.id : undefined;
  const verdicts = useVerdicts(symptom);
  return (
    <>
      {verdicts.failure !== undefined && (
        <ErrorNotice failure={verdicts.failure} retry={() => void verdicts.reread()} />
      )}
      {away && target.event !== undefined && (
        <button
          type="button"
          class="anchor"
          onClick={() => {
            if (target.event !== undefined)
              selectEvent(target.event.id, Date.parse(target.event.occurred_at));
          }}
        >
          before <Glyph kind={target.event.kind} /> {target.event.summary}
        </button>
      )}
      {candidates.length === 0 ? (
        <p>No change is known before this, in the time that was looked at.</p>
      ) : (
        <ol class="candidates">
          {candidates.map((candidate) => (
            <Candidate key={candidate.event.id} candidate={candidate} symptom={symptom} verdicts={verdicts} />
          ))}
        </ol>
      )}
      <Followed answer={answer} />
      <Checked answer={answer} />
    </>
  );
}

/** What began after it: told apart, so that nobody takes a consequence for a cause. */
function Followed({ answer }: { answer: WhatElseJson }) {
  const followed = answer.followed ?? [];
  if (followed.length === 0) return null;
  return (
    <details class="followed">
      <summary>What followed ({followed.length})</summary>
      <ul>
        {followed.map(({ event, after_ms: afterMs }) => (
          <li key={event.id}>
            <button
              type="button"
              class="candidate-title"
              onClick={() => selectEvent(event.id, Date.parse(event.occurred_at))}
            >
              <Glyph kind={event.kind} />
              <span>
                <strong>+{formatLength(afterMs)}</strong>{" "}
                <span class="visually-hidden">{kindWords[event.kind]}: </span>
                {event.summary}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function beforeWords(candidate: CandidateJson): string {
  if (candidate.direction === "in-progress") return "still going on";
  if (candidate.direction === "unordered") return "at the same time";
  return `−${formatLength(candidate.before_ms)}`;
}

/** The reason without the distance in time, which stands before it in bold already. */
function reasonWords(candidate: CandidateJson): string {
  const words = candidate.reason.split(" · ").filter((word) => word !== "" && !/^[−-]\d/.test(word));
  return words.map((word) => ` · ${word}`).join("");
}

function Candidate(props: {
  candidate: CandidateJson;
  /** Undefined for whoever has no say in it. */
  symptom: string | undefined;
  verdicts: Verdicts;
}) {
  const { candidate, symptom, verdicts } = props;
  const [open, setOpen] = useState(false);
  const { event } = candidate;
  const selected = view.value.selected === event.id;
  return (
    <li class={selected ? "selected" : ""}>
      <span class="rank">{candidate.rank}</span>
      <div>
        <button
          type="button"
          class="candidate-title"
          aria-current={selected ? "true" : undefined}
          onClick={() => selectEvent(event.id, Date.parse(event.occurred_at))}
        >
          <Glyph kind={event.kind} />
          <span>
            <span class="visually-hidden">{kindWords[event.kind]}: </span>
            {event.summary}
          </span>
        </button>
        <p class="candidate-reason">
          <strong>{beforeWords(candidate)}</strong>
          {reasonWords(candidate)}
          {candidate.also > 0 && ` · stands for ${candidate.also} more like it`}
          {candidate.verdict !== undefined &&
            symptom === undefined &&
            ` · ${candidate.verdict.replace("-", " ")} by people`}{" "}
          <button type="button" class="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "less" : "details"}
            <span class="visually-hidden"> on how number {candidate.rank} ranks</span>
          </button>
        </p>
        {open && <Addends candidate={candidate} />}
        {symptom !== undefined && (
          <CandidateVerdict
            symptom={symptom}
            candidate={event.id}
            rank={candidate.rank}
            verdicts={verdicts}
          />
        )}
      </div>
    </li>
  );
}

function Addends({ candidate }: { candidate: CandidateJson }) {
  return (
    <div class="addends">
      {candidate.path.length > 0 && (
        <p class="hop-path">
          {candidate.path.map((hop, index) => (
            <span key={`${hop.from.id} ${hop.relation} ${hop.to.id}`}>
              {index === 0 && `${hop.from.kind} ${nameEntity(hop.from)} `}
              <span class="dim">{hop.relation.replaceAll("_", " ")}</span> {hop.to.kind}{" "}
              {nameEntity(hop.to)}{" "}
            </span>
          ))}
        </p>
      )}
      <table>
        <caption class="visually-hidden">The parts of the score</caption>
        <tbody>
          {candidate.addends.map((addend) => (
            <tr key={addend.name}>
              <th scope="row">{addend.name}</th>
              <td class="number">{signed(addend.value)}</td>
              <td>{addend.says}</td>
            </tr>
          ))}
          <tr class="sum">
            <th scope="row">score</th>
            <td class="number">{signed(candidate.score)}</td>
            <td>sum of the parts</td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

const namedMax = 6;

/** Of what there was more than was looked at. */
function cutWords(cut: WhatElseJson["checked"]["cut"]): string {
  if (cut === undefined || cut.length === 0) return "there were more";
  return `not all ${cut.map(({ of, most }) => `${of} beyond ${most}`).join(", ")}`;
}

function Checked({ answer }: { answer: WhatElseJson }) {
  const { checked, coverage, window } = answer;
  const { zone } = view.value;
  const end = Date.parse(answer.target.at);
  const behind = behindAt(coverage.connections, end, Date.now());
  const blind = spansWithin(namelessHoles(coverage.holes), { from: Date.parse(window.from), to: end });
  const names = checked.nothing_on.slice(0, namedMax).map((entity) => `${entity.kind} ${nameEntity(entity)}`);
  const rest = checked.nothing_on.length - names.length;
  return (
    <div class="checked">
      {names.length > 0 && (
        <p>
          Checked, nothing on {names.join(", ")}
          {rest > 0 ? ` and ${rest} more` : ""}.
        </p>
      )}
      <p>
        {checked.events.toLocaleString("en")} earlier events looked at since{" "}
        {formatMoment(Date.parse(window.from), zone)}
        {checked.truncated ? `; ${cutWords(checked.cut)}` : ""}.{" "}
        {behind.length === 0 &&
          blind.length === 0 &&
          coverage.connections.length > 0 &&
          `All ${coverage.connections.length} sources are complete up to then.`}
      </p>
      <CoverageNote coverage={coverage} from={Date.parse(window.from)} to={end} zone={zone} />
    </div>
  );
}
