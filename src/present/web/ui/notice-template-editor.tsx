import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type {
  NoticeTemplateJson,
  NoticeTemplatesJson,
  TemplatePreviewJson,
} from "../../api/tenancy-contract.ts";
import { isAbort, RequestFailure, sendApi } from "../state/client.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useSending } from "./sending.ts";
import { isReason, WhyField } from "./why-field.tsx";

/** The text of one notice, with what tenants would read while it is typed. */
export function NoticeTemplateEditor(props: {
  template: NoticeTemplateJson;
  all: NoticeTemplatesJson;
  reread: () => void;
  close: (saved: string | undefined) => void;
}) {
  const { template, all } = props;
  const [text, setText] = useState(template.text);
  const [why, setWhy] = useState("");
  const preview = usePreview(text);
  const { busy, failure, send } = useSending();
  const problems = preview.data?.problems ?? [];
  const unchanged = text === template.text;
  const ready = !busy && isReason(why);
  const path = `notice-templates/${encodeURIComponent(template.name)}`;
  const save = async (event: Event) => {
    event.preventDefault();
    if (!ready || unchanged || problems.length > 0) return;
    const body = { text, expected_version: template.version, why: why.trim() };
    const done = await send(() => sendApi("PUT", path, body));
    if (done === undefined) props.reread();
    else props.close("Saved. New notices are written so.");
  };
  const reset = async () => {
    const query = new URLSearchParams({ expected_version: String(template.version), why: why.trim() });
    const done = await send(() => sendApi("DELETE", `${path}?${query.toString()}`));
    if (done === undefined) props.reread();
    else props.close("The shipped text is back.");
  };
  return (
    <form class="notice-editor" onSubmit={(event) => void save(event)}>
      <TextField text={text} onChange={setText} all={all} wrong={problems.length > 0} />
      <Preview preview={preview.data} failure={preview.failure} />
      <WhyField value={why} onChange={setWhy} hint="Recorded with the change, as an event of its own." />
      {failure !== undefined && <SaveFailure failure={failure} theirs={template.text} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={!ready || unchanged || problems.length > 0}>
          Save
        </button>
        <button type="button" class="control" onClick={() => props.close(undefined)}>
          Cancel
        </button>
        {template.edited && (
          <button type="button" class="control" disabled={!ready} onClick={() => void reset()}>
            Back to the shipped text
          </button>
        )}
      </div>
    </form>
  );
}

/** A refusal; where somebody else was faster, with what the text has become. */
function SaveFailure({ failure, theirs }: { failure: RequestFailure; theirs: string }) {
  if (failure.status !== 409) return <ErrorNotice failure={failure} />;
  return (
    <div class="notice" role="alert">
      <p>
        <strong>Somebody else has changed this text meanwhile.</strong> Yours is still here, and was not
        saved. Compare the two, then save again. It now reads:
      </p>
      <p>
        <code>{theirs}</code>
      </p>
    </div>
  );
}

function TextField(props: {
  text: string;
  onChange: (text: string) => void;
  all: NoticeTemplatesJson;
  wrong: boolean;
}) {
  const { text, all } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useLayoutEffect(() => field.current?.focus(), []);
  const insert = (name: string) => {
    const area = field.current;
    if (area === null) return;
    area.setRangeText(`{${name}}`, area.selectionStart, area.selectionEnd, "end");
    props.onChange(area.value);
    area.focus();
  };
  return (
    <div class="field">
      <label>
        <span class="field-name">Text</span>
        <textarea
          ref={field}
          rows={3}
          value={text}
          maxLength={all.chars_max}
          aria-invalid={props.wrong}
          aria-describedby={`${id}-hint`}
          onInput={(event) => props.onChange(event.currentTarget.value)}
        />
      </label>
      <div class="placeholders" role="group" aria-label="Insert a placeholder">
        {all.placeholders.map(({ name, meaning }) => (
          <button key={name} type="button" class="control" title={meaning} onClick={() => insert(name)}>
            <code>{`{${name}}`}</code>
          </button>
        ))}
      </div>
      <p id={`${id}-hint`} class="hint">
        {text.length} of {all.chars_max} characters
      </p>
      <dl class="meanings">
        {all.placeholders.map(({ name, meaning }) => (
          <div key={name}>
            <dt>
              <code>{`{${name}}`}</code>
            </dt>
            <dd>
              {/* What stands between backticks is an example. */}
              {meaning
                .split("`")
                .map((part, place) => (place % 2 === 1 ? <code key={part}>{part}</code> : part))}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

const typingMs = 200;

/** What the server makes of the text, a moment after the last key. */
function usePreview(text: string): {
  data: TemplatePreviewJson | undefined;
  failure: RequestFailure | undefined;
} {
  const [state, setState] = useState<{ data?: TemplatePreviewJson; failure?: RequestFailure }>({});
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      sendApi<TemplatePreviewJson>("POST", "notice-templates/preview", { text }, stop.signal).then(
        (data) => setState({ data }),
        (error: unknown) => {
          if (isAbort(error)) return;
          if (!(error instanceof RequestFailure)) throw error;
          setState((before) => ({ ...before, failure: error }));
        },
      );
    }, typingMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return { data: state.data, failure: state.failure };
}

function Preview({
  preview,
  failure,
}: {
  preview: TemplatePreviewJson | undefined;
  failure: RequestFailure | undefined;
}) {
  if (failure !== undefined) return <ErrorNotice failure={failure} />;
  if (preview === undefined) return <div class="preview" aria-busy="true" />;
  return (
    <div class="preview" role="status">
      <h3>{preview.problems.length > 0 ? "This text cannot be used" : "Tenants will read"}</h3>
      <ul>
        {preview.problems.map((problem) => (
          <li key={`${problem.code} ${problem.says}`} class="problem">
            {problem.says}
          </li>
        ))}
        {preview.samples.map((sample, index) => (
          <li key={`${index} ${sample}`}>
            <blockquote class="sample">{sample}</blockquote>
          </li>
        ))}
      </ul>
    </div>
  );
}
