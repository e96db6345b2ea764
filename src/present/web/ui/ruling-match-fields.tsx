import { useId } from "preact/hooks";
import type { EventJson } from "../../api/contract.ts";
import { matchFields, narrowings, type MatchField, type RulingDraft } from "../state/ruling-draft.ts";
import { fieldWords } from "../state/ruling-words.ts";

const fieldNames: Readonly<Record<MatchField, string>> = {
  event_id: "Event",
  type: "Type",
  connection: "Connection",
  control_plane: "Control plane",
  subject: "About (kind/id)",
  alias: "Named (kind/id)",
  from: "Not before",
  to: "Before",
};

/** The conditions of a rule: each can be edited, taken away, or added from what the example tells. */
export function RulingMatchFields(props: {
  draft: RulingDraft;
  change: (draft: RulingDraft) => void;
  example: EventJson | undefined;
  problems: Readonly<Partial<Record<MatchField, string>>>;
}) {
  const { draft, change, example, problems } = props;
  const id = useId();
  const set = (field: MatchField, value: string | undefined) => {
    const { [field]: _old, ...others } = draft.match;
    change({ ...draft, match: value === undefined ? others : { ...others, [field]: value } });
  };
  const add = (field: MatchField, value: string) => {
    set(field, value);
    requestAnimationFrame(() => document.getElementById(`${id}-${field}`)?.focus());
  };
  const missing = matchFields.filter((field) => draft.match[field] === undefined && field !== "event_id");
  return (
    <fieldset class="field">
      <legend>Which events</legend>
      <div class="conditions">
        {matchFields.map((field) =>
          draft.match[field] === undefined ? null : (
            <Condition
              key={field}
              id={`${id}-${field}`}
              field={field}
              value={draft.match[field] ?? ""}
              problem={problems[field]}
              set={(value) => set(field, value)}
            />
          ),
        )}
      </div>
      {problems.type !== undefined && draft.match.type === undefined && (
        <p class="hint problem">{problems.type}</p>
      )}
      {missing.length > 0 && <Adding fields={missing} example={example} add={add} />}
    </fieldset>
  );
}

/** What can be added: things of the example with their values, and the other conditions, empty. */
function Adding(props: {
  fields: readonly MatchField[];
  example: EventJson | undefined;
  add: (field: MatchField, value: string) => void;
}) {
  const { fields, example, add } = props;
  const offers = (example === undefined ? [] : narrowings(example)).filter(({ field }) =>
    fields.includes(field),
  );
  return (
    <label class="pick">
      <span class="pick-label">Narrow by</span>
      <select
        value=""
        onChange={(event) => {
          const { value } = event.currentTarget;
          const offer = offers[Number(value.slice(1))];
          if (value.startsWith("#") && offer !== undefined) add(offer.field, offer.value);
          else if (value !== "") add(value as MatchField, "");
          event.currentTarget.value = "";
        }}
      >
        <option value="">a condition…</option>
        {offers.length > 0 && (
          <optgroup label="As in the example">
            {offers.map((offer, index) => (
              <option key={`${offer.field} ${offer.value}`} value={`#${index}`}>
                {fieldWords[offer.field]} {offer.value}
              </option>
            ))}
          </optgroup>
        )}
        <optgroup label="To be filled in">
          {fields.map((field) => (
            <option key={field} value={field}>
              {fieldNames[field]}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}

function Condition(props: {
  id: string;
  field: MatchField;
  value: string;
  problem: string | undefined;
  set: (value: string | undefined) => void;
}) {
  const { id, field, problem } = props;
  return (
    <div class="condition">
      <label for={id}>{fieldNames[field]}</label>
      <input
        id={id}
        value={props.value}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        onInput={(event) => props.set(event.currentTarget.value)}
      />
      <button type="button" class="control quiet close" onClick={() => props.set(undefined)}>
        <span class="visually-hidden">Take away the condition {fieldNames[field]}</span>
        <span aria-hidden="true">×</span>
      </button>
      {problem !== undefined && (
        <p id={`${id}-problem`} class="hint problem">
          {problem}
        </p>
      )}
    </div>
  );
}
