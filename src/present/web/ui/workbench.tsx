import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EventJson } from "../../api/contract.ts";
import type { QuarantineGroupJson, RulingsJson } from "../../api/quarantine-contract.ts";
import { sentenceCase } from "../state/grouping.ts";
import { preferredZone } from "../state/preferences.ts";
import {
  answerOf,
  draftOfEvent,
  draftOfGroup,
  draftOfRuling,
  type DraftAnswer,
  type RulingDraft,
} from "../state/ruling-draft.ts";
import { countWords } from "../state/ruling-words.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { CandidateList } from "./candidate-list.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { ExampleEvent, GroupEvents } from "./example-event.tsx";
import { Link } from "./link.tsx";
import { isWaiting } from "./ownership.tsx";
import { usePageData } from "./page-data.ts";
import { RulingForm } from "./ruling-form.tsx";

/** One group of waiting events, and the form to rule about it. A group that is gone keeps the page, emptied. */
export function GroupWorkbench(props: { group: QuarantineGroupJson | undefined; reread: () => void }) {
  // The form outlives the group: its last events may have left by what was ruled here.
  const [known, setKnown] = useState(props.group);
  useEffect(() => {
    if (props.group !== undefined) setKnown(props.group);
  }, [props.group]);
  const [answer, setAnswer] = useState<DraftAnswer | undefined>(undefined);
  if (known === undefined) return <Gone />;
  const zone = preferredZone.value;
  const moment = (at: string) => formatMoment(Date.parse(at), zone);
  return (
    <Bench
      title={sentenceCase(known.reason)}
      lead={
        props.group === undefined ? (
          <>None of these waits any more.</>
        ) : (
          <>
            <strong>{countWords(known.count, known.at_least)}</strong> <code>{known.type}</code>{" "}
            {known.count === 1 ? "event" : "events"} from {known.connection},{" "}
            {known.oldest === known.newest
              ? moment(known.oldest)
              : `${moment(known.oldest)} to ${moment(known.newest)}`}
            . {known.says}
          </>
        )
      }
      form={
        <RulingForm
          start={draftOfGroup(known)}
          offered={answer}
          example={known.example}
          onApplied={props.reread}
        />
      }
      rest={<GroupEvents group={known} />}
    >
      <CandidateList group={known} choose={(tenant) => setAnswer(answerOf(tenant))} />
      <ExampleEvent event={known.example} title="The newest of them" />
    </Bench>
  );
}

/** One event, to be given to a tenant or to the provider by itself. */
export function EventWorkbench({ id, provider }: { id: string; provider: boolean }) {
  const { data, failure, retry } = usePageData<EventJson>(`events/${encodeURIComponent(id)}`);
  const [answer, setAnswer] = useState<DraftAnswer | undefined>(undefined);
  const [start, setStart] = useState<RulingDraft | undefined>(undefined);
  useEffect(() => {
    if (data !== undefined) setStart((known) => known ?? draftOfEvent(data, provider));
  }, [data, provider]);
  if (failure !== undefined)
    return failure.status === 404 ? <Gone /> : <Failed failure={failure} retry={retry} />;
  if (data === undefined || start === undefined) return <main class="page" aria-busy="true" />;
  const candidates = data.attribution.candidates ?? [];
  return (
    <Bench
      title={isWaiting(data.attribution) ? "Whose is this event?" : "This event has an owner"}
      lead={
        decides.value ? (
          <>A decision about this one event. A rule about more of its kind starts from its group.</>
        ) : (
          <>This one event, and who it could be.</>
        )
      }
      form={<RulingForm start={start} offered={answer} example={data} onApplied={retry} />}
    >
      <ExampleEvent event={data} title="The event" />
      {candidates.length > 0 && (
        <CandidateList
          group={{
            sampled: 1,
            lacks: [],
            candidates: candidates.map((tenant) => ({ tenant, events: 1, for: [], against: [] })),
          }}
          choose={(tenant) => setAnswer(answerOf(tenant))}
        />
      )}
    </Bench>
  );
}

/** A ruling to be made otherwise. */
export function RevisionWorkbench({ id }: { id: string }) {
  const { data, failure, retry } = usePageData<RulingsJson>("rulings");
  if (failure !== undefined) return <Failed failure={failure} retry={retry} />;
  if (data === undefined) return <main class="page" aria-busy="true" />;
  const ruling = data.rulings.find((each) => each.id === id);
  if (ruling === undefined) return <Gone />;
  return (
    <Bench
      title={decides.value ? "Rule it otherwise" : "A ruling"}
      lead={
        <>
          Version {ruling.version} by {ruling.by} holds {countWords(ruling.events, ruling.at_least)}{" "}
          {ruling.events === 1 ? "event" : "events"}: {ruling.why}
        </>
      }
      form={
        <RulingForm
          key={ruling.version}
          start={draftOfRuling(ruling)}
          offered={undefined}
          revises={{ id, version: ruling.version }}
          onApplied={retry}
        />
      }
    />
  );
}

function Bench(props: {
  title: string;
  lead: ComponentChildren;
  form: ComponentChildren;
  /** What comes last where there is room for one column only. */
  rest?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <main class="page workbench">
      <p class="eyebrow">
        <Link href="/quarantine">Quarantine</Link>
      </p>
      <h1 tabIndex={-1} ref={heading}>
        {props.title}
      </h1>
      <p class="lead">{props.lead}</p>
      <div class={decides.value ? "bench" : "bench looking"}>
        {props.children !== undefined && <div class="bench-evidence">{props.children}</div>}
        {decides.value && <div class="bench-form">{props.form}</div>}
        {props.rest !== undefined && <div class="bench-rest">{props.rest}</div>}
      </div>
    </main>
  );
}

function Gone() {
  return (
    <main class="page">
      <h1>Nothing waits here</h1>
      <p>
        These events have left the quarantine, or there never were any.{" "}
        <Link href="/quarantine">Back to the quarantine</Link>
      </p>
    </main>
  );
}

function Failed(props: Parameters<typeof ErrorNotice>[0]) {
  return (
    <main class="page">
      <ErrorNotice {...props} />
    </main>
  );
}
