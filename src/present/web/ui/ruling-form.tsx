import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EventJson } from "../../api/contract.ts";
import type { RulingJson } from "../../api/quarantine-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { readDraft, type DraftAnswer, type RulingDraft, type RulingRequest } from "../state/ruling-draft.ts";
import { DryRunResult } from "./dry-run-result.tsx";
import { useDryRun, type DryRun } from "./dry-run.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Link } from "./link.tsx";
import { RulingAnswerField } from "./ruling-answer-field.tsx";
import { RulingConfirm } from "./ruling-confirm.tsx";
import { RulingMatchFields } from "./ruling-match-fields.tsx";
import { useSending, type Sending } from "./sending.ts";
import { isReason, WhyField } from "./why-field.tsx";

export interface RulingFormProps {
  /** What the form starts from. */
  readonly start: RulingDraft;
  /** An answer chosen outside of the form, put in when it changes. */
  readonly offered: DraftAnswer | undefined;
  /** The event by whose things the rule can be narrowed. */
  readonly example?: EventJson;
  /** The ruling that this would be a further version of. */
  readonly revises?: { readonly id: string; readonly version: number };
  readonly onApplied: () => void;
}

/** Writes a rule: which events, whose they are, and why; tried before it is applied. */
export function RulingForm(props: RulingFormProps) {
  const [draft, setDraft] = useState(props.start);
  const [why, setWhy] = useState("");
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<RulingJson | undefined>(undefined);
  const dryRun = useDryRun(props.revises?.id);
  const { offered } = props;
  useEffect(() => {
    if (offered !== undefined) setDraft((known) => ({ ...known, answer: offered }));
  }, [offered]);
  const read = readDraft(draft);
  const problems = read.ok || !tried ? {} : read.problems;
  if (made !== undefined) return <Applied ruling={made} />;
  return (
    <form
      class="ruling-form"
      noValidate
      aria-labelledby="ruling-title"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (read.ok) void dryRun.run(read.request);
        else focusProblem(event.currentTarget);
      }}
    >
      <h2 id="ruling-title">{props.revises === undefined ? "Write a rule" : "Write the next version"}</h2>
      <RulingMatchFields draft={draft} change={setDraft} example={props.example} problems={problems} />
      <RulingAnswerField draft={draft} change={setDraft} problem={problems.answer} />
      <WhyField value={why} onChange={setWhy} hint="For whoever asks later. Tenants never see it." />
      <button type="submit" class="control primary" disabled={dryRun.busy}>
        Try it
      </button>
      <Verdict
        dryRun={dryRun}
        request={read.ok ? read.request : undefined}
        why={why}
        revises={props.revises}
        onMade={(ruling) => {
          setMade(ruling);
          announce("Applied.");
          props.onApplied();
        }}
      />
    </form>
  );
}

function focusProblem(form: HTMLFormElement): void {
  requestAnimationFrame(() =>
    form.querySelector<HTMLElement>("[aria-invalid=true], .answer-problem button")?.focus(),
  );
}

interface VerdictOf {
  readonly dryRun: DryRun;
  readonly request: RulingRequest | undefined;
  readonly why: string;
  readonly revises: RulingFormProps["revises"];
  readonly onMade: (ruling: RulingJson) => void;
}

/** What the dry run gave, and the way from there to a decision: for exactly these inputs, and no others. */
function Verdict({ dryRun, request, why, revises, onMade }: VerdictOf) {
  const [asking, setAsking] = useState(false);
  const sending = useSending();
  const { answer } = dryRun;
  if (dryRun.failure !== undefined) return <ErrorNotice failure={dryRun.failure} />;
  if (answer === undefined) return dryRun.busy ? <div class="verdict" aria-busy="true" /> : null;
  const fresh = request !== undefined && JSON.stringify(request) === dryRun.of;
  const apply = async (confirm: boolean) => {
    if (request === undefined) return;
    const body = { ...request, why: why.trim(), digest: answer.digest, ...(confirm ? { confirm } : {}) };
    const made = await sending.send(() => postRuling(body, revises));
    setAsking(false);
    if (made !== undefined) onMade(made.answer);
    else await dryRun.run(request);
  };
  return (
    <div class="verdict">
      {sending.failure !== undefined && <Refused sending={sending} />}
      <DryRunResult result={answer} stale={!fresh} />
      <div class="event-actions">
        <button
          type="button"
          class="control primary"
          disabled={!fresh || !isReason(why) || !hasEffect(answer, revises)}
          onClick={() => setAsking(true)}
        >
          Apply…
        </button>
        <span class="hint" role="status">
          {applyHint(fresh, why, hasEffect(answer, revises))}
        </span>
      </div>
      {asking && (
        <RulingConfirm
          result={answer}
          busy={sending.busy}
          apply={(confirm) => void apply(confirm)}
          cancel={() => setAsking(false)}
        />
      )}
    </div>
  );
}

function hasEffect(answer: NonNullable<DryRun["answer"]>, revises: RulingFormProps["revises"]): boolean {
  return revises !== undefined || answer.matching > 0 || answer.contradicted > 0;
}

function applyHint(fresh: boolean, why: string, effect: boolean): string {
  if (!fresh) return "Something was changed since: try it again.";
  if (!effect) return "No waiting event matches.";
  return isReason(why) ? "" : "Say why first.";
}

function postRuling(body: object, revises: RulingFormProps["revises"]): Promise<RulingJson> {
  if (revises === undefined) return sendApi<RulingJson>("POST", "rulings", body);
  const path = `rulings/${encodeURIComponent(revises.id)}/versions`;
  return sendApi<RulingJson>("POST", path, { ...body, expected_version: revises.version });
}

function Refused({ sending }: { sending: Sending }) {
  const { failure } = sending;
  if (failure === undefined) return null;
  if (failure.status !== 409) return <ErrorNotice failure={failure} />;
  return (
    <div class="notice" role="alert">
      <p>
        <strong>The situation has changed since the dry run.</strong> Nothing was applied. This is how it
        stands now: look again, then apply.
      </p>
      <p class="notice-facts">
        <code>{failure.code}</code>
        <span>{failure.detail}</span>
      </p>
    </div>
  );
}

function Applied({ ruling }: { ruling: RulingJson }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <section class="applied" aria-labelledby="applied-title">
      <h2 id="applied-title" tabIndex={-1} ref={heading}>
        Applied
      </h2>
      <p>
        Version {ruling.version} is in force, and recorded as an event. The events that it is about are given
        their owner in the background; what comes in later is ruled the same way.
      </p>
      <p class="event-actions">
        <Link class="control" href="/quarantine">
          Back to the quarantine
        </Link>
        <Link class="control" href="/quarantine/rulings">
          See or withdraw it
        </Link>
      </p>
    </section>
  );
}
