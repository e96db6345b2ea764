import { useEffect, useState } from "preact/hooks";
import type { VerdictJson, VerdictsJson } from "../../api/verdict-contract.ts";
import { announce } from "../state/announcer.ts";
import { isAbort, readApi, RequestFailure, sendApi } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useSending } from "./sending.ts";
import { isReason, WhyField } from "./why-field.tsx";

type Verdict = VerdictJson["verdict"];

/** What people said of the changes before one symptom, by the change. */
export interface Verdicts {
  /** Undefined until they are read. */
  readonly given: ReadonlyMap<string, VerdictJson> | undefined;
  readonly failure: RequestFailure | undefined;
  /** Reads them again; the newest word of each, or undefined where the server does not answer. */
  readonly reread: () => Promise<ReadonlyMap<string, VerdictJson> | undefined>;
  readonly note: (verdict: VerdictJson) => void;
}

/** Reads the verdicts on `symptom`; nothing is asked where it is undefined. */
export function useVerdicts(symptom: string | undefined): Verdicts {
  const [state, setState] = useState<Pick<Verdicts, "given" | "failure">>({
    given: undefined,
    failure: undefined,
  });
  const read = async (stop?: AbortSignal) => {
    if (symptom === undefined) return undefined;
    try {
      const path = `verdicts?symptom=${encodeURIComponent(symptom)}`;
      const { verdicts } = await readApi<VerdictsJson>(path, stop);
      const given = new Map(verdicts.map((verdict) => [verdict.candidate, verdict]));
      setState({ given, failure: undefined });
      return given;
    } catch (error) {
      if (isAbort(error)) return undefined;
      if (!(error instanceof RequestFailure)) throw error;
      setState((before) => ({ ...before, failure: error }));
      return undefined;
    }
  };
  useEffect(() => {
    const stop = new AbortController();
    setState({ given: undefined, failure: undefined });
    void read(stop.signal);
    return () => stop.abort();
  }, [symptom]);
  const note = (verdict: VerdictJson) =>
    setState((before) => ({ ...before, given: new Map(before.given).set(verdict.candidate, verdict) }));
  return { ...state, reread: () => read(), note };
}

const words: Readonly<Record<NonNullable<Verdict>, string>> = {
  suspected: "Suspected",
  confirmed: "Confirmed",
  "ruled-out": "Ruled out",
};

/** What stands of one change before a symptom, and the four words that can be said of it. */
export function CandidateVerdict(props: {
  symptom: string;
  candidate: string;
  rank: number;
  verdicts: Verdicts;
}) {
  const { symptom, candidate, rank, verdicts } = props;
  const [chosen, setChosen] = useState<Verdict | undefined>(undefined);
  const standing = verdicts.given?.get(candidate);
  const stands = standing?.verdict ?? null;
  if (verdicts.given === undefined) return null;
  return (
    <div class="verdict-part">
      {standing !== undefined && <Standing verdict={standing} />}
      <div class="verdict-choices" role="group" aria-label={`What number ${rank} is held for`}>
        {Object.entries(words).map(([verdict, says]) => (
          <button
            key={verdict}
            type="button"
            class="control small"
            aria-pressed={stands === verdict}
            aria-expanded={chosen === verdict}
            onClick={() => setChosen(chosen === verdict ? undefined : (verdict as Verdict))}
          >
            {says}
          </button>
        ))}
        {stands !== null && (
          <button
            type="button"
            class="control small"
            aria-expanded={chosen === null}
            onClick={() => setChosen(chosen === null ? undefined : null)}
          >
            Take back
          </button>
        )}
      </div>
      {chosen !== undefined && (
        <GiveVerdict
          key={String(chosen)}
          symptom={symptom}
          candidate={candidate}
          verdict={chosen}
          seen={standing}
          verdicts={verdicts}
          close={() => setChosen(undefined)}
        />
      )}
    </div>
  );
}

function Standing({ verdict: { verdict, why, by, at } }: { verdict: VerdictJson }) {
  return (
    <p class="verdict-standing">
      <strong>{verdict === null ? "Taken back" : words[verdict]}</strong> by {by},{" "}
      {formatMoment(Date.parse(at), preferredZone.value)}: {why}
    </p>
  );
}

function GiveVerdict(props: {
  symptom: string;
  candidate: string;
  verdict: Verdict;
  /** What the reader saw standing when the form was opened. */
  seen: VerdictJson | undefined;
  verdicts: Verdicts;
  close: () => void;
}) {
  const { symptom, candidate, verdict, verdicts, close } = props;
  const [why, setWhy] = useState("");
  const [seen, setSeen] = useState(props.seen?.at);
  const [conflict, setConflict] = useState(false);
  const { busy, failure, send } = useSending();
  const give = async (event: Event) => {
    event.preventDefault();
    if (!isReason(why) || busy) return;
    // A later word stands before an earlier one, so nobody gives one without having read what was said meanwhile.
    const read = await verdicts.reread();
    if (read === undefined) return;
    const now = read.get(candidate);
    if (now !== undefined && now.at !== seen) {
      setSeen(now.at);
      setConflict(true);
      return;
    }
    const body = { symptom, candidate, verdict, why: why.trim() };
    const done = await send(() => sendApi<VerdictJson>("POST", "verdicts", body));
    if (done === undefined) return;
    verdicts.note(done.answer);
    announce(verdict === null ? "It is taken back." : `${words[verdict]}.`);
    close();
  };
  return (
    <form class="verdict-form" onSubmit={(event) => void give(event)}>
      <WhyField value={why} onChange={setWhy} hint="Kept with the verdict and in the audit." focused />
      {conflict && (
        <p class="notice" role="alert">
          Somebody else has said something of it meanwhile: it stands above. Yours will stand instead if you
          give it all the same.
        </p>
      )}
      {verdicts.failure !== undefined && <ErrorNotice failure={verdicts.failure} />}
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy || !isReason(why)}>
          {verdict === null ? "Take it back" : `Say “${words[verdict].toLowerCase()}”`}
        </button>
        <button type="button" class="control" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  );
}
