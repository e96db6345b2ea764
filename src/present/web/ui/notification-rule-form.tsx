import { useState } from "preact/hooks";
import type { NewRuleJson } from "../../api/notification-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { emptyRule, ruleBody, ruleOwners, type RuleDraft } from "../state/rule-words.ts";
import { session } from "../state/session.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Pick } from "./pick.tsx";
import { useSending } from "./sending.ts";

const formats = { webhook: "JSON", cloudevents: "CloudEvents", slack: "Slack", alertmanager: "Alertmanager" };
const conditions = {
  each: "each event",
  "at-least": "so many within a span",
  absence: "none for a span",
  "severity-rise": "a rise of severity",
};
const severities = { "": "any", info: "info", warning: "warning", error: "error", critical: "critical" };
const groupings = { "": "all together", resource: "resource", type: "type", tenant: "tenant", host: "host" };

/** Makes a rule, and shows the one time the key that its messages are signed with. */
export function NotificationRuleForm({ onMade }: { onMade: () => void }) {
  const [draft, setDraft] = useState<RuleDraft>(emptyRule);
  const [made, setMade] = useState<NewRuleJson>();
  const { busy, failure, send } = useSending();
  const owners = ruleOwners(session.value);
  const [whose, setWhose] = useState("");
  const body = ruleBody(draft, (owners.find(({ name }) => name === whose) ?? owners[0])?.owner);
  const make = async (event: Event) => {
    event.preventDefault();
    if (body === undefined || busy) return;
    const done = await send(() => sendApi<NewRuleJson>("POST", "notification-rules", body));
    if (done === undefined) return;
    setMade(done.answer);
    setDraft(emptyRule);
    announce(`The rule ${done.answer.name} is made`);
    onMade();
  };
  return (
    <section aria-labelledby="new-rule">
      <h2 id="new-rule">A new rule</h2>
      <form class="admin-form" onSubmit={(event) => void make(event)}>
        {owners.length > 1 && (
          <Choice
            label="Of"
            of={Object.fromEntries(owners.map(({ name }) => [name, name]))}
            value={whose === "" ? (owners[0]?.name ?? "") : whose}
            onPick={setWhose}
          />
        )}
        <Field label="Name" value={draft.name} onInput={(name) => setDraft({ ...draft, name })} />
        <Field
          label="Address"
          value={draft.url}
          hint="https://…"
          onInput={(url) => setDraft({ ...draft, url })}
        />
        <Choice
          label="Written as"
          of={formats}
          value={draft.format}
          onPick={(format) => setDraft({ ...draft, format })}
        />
        <Field
          label="Types"
          value={draft.types}
          hint="backup.end, compute.*"
          onInput={(types) => setDraft({ ...draft, types })}
        />
        <Choice
          label="Severity from"
          of={severities}
          value={draft.severity}
          onPick={(severity) => setDraft({ ...draft, severity })}
        />
        <Field label="Text" value={draft.text} onInput={(text) => setDraft({ ...draft, text })} />
        <Condition draft={draft} change={setDraft} />
        <button type="submit" class="control primary" disabled={body === undefined || busy}>
          Make the rule
        </button>
      </form>
      {failure !== undefined && <ErrorNotice failure={failure} />}
      {made?.signing_key !== undefined && (
        <p role="status">
          Messages of {made.name} are signed with this key, which is shown this once:{" "}
          <code>{made.signing_key}</code>
        </p>
      )}
    </section>
  );
}

function Condition({ draft, change }: { draft: RuleDraft; change: (draft: RuleDraft) => void }) {
  const { condition } = draft;
  return (
    <>
      <Choice
        label="When"
        of={conditions}
        value={condition}
        onPick={(picked) => change({ ...draft, condition: picked })}
      />
      {condition === "at-least" && (
        <Field label="How many" value={draft.count} onInput={(count) => change({ ...draft, count })} />
      )}
      {(condition === "at-least" || condition === "absence") && (
        <Field label="Minutes" value={draft.minutes} onInput={(minutes) => change({ ...draft, minutes })} />
      )}
      <Choice
        label="Gathered by"
        of={groupings}
        value={draft.groupBy}
        onPick={(groupBy) => change({ ...draft, groupBy })}
      />
      <Field
        label="Quiet for minutes"
        value={draft.quietMinutes}
        onInput={(quietMinutes) => change({ ...draft, quietMinutes })}
      />
    </>
  );
}

interface FieldOptions {
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  readonly onInput: (text: string) => void;
}

function Field({ label, value, hint, onInput }: FieldOptions) {
  return (
    <label class="field">
      <span class="field-name">{label}</span>
      <input
        value={value}
        maxLength={2_000}
        autocomplete="off"
        {...(hint === undefined ? {} : { placeholder: hint })}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceOptions<Value extends string> {
  readonly label: string;
  readonly of: Readonly<Record<Value, string>>;
  readonly value: Value;
  readonly onPick: (value: Value) => void;
}

function Choice<Value extends string>({ label, of, value, onPick }: ChoiceOptions<Value>) {
  return (
    <Pick label={label} value={value} onPick={(picked) => onPick(picked as Value)}>
      {Object.entries<string>(of).map(([name, says]) => (
        <option key={name} value={name}>
          {says}
        </option>
      ))}
    </Pick>
  );
}
