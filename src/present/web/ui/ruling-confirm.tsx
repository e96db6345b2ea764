import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { DryRunJson } from "../../api/quarantine-contract.ts";
import { dryRunSentence } from "../state/ruling-words.ts";
import { Warnings } from "./dry-run-result.tsx";
import { formatCount } from "./number-words.ts";
import { tenantWords } from "./ownership.tsx";

/** The last question before a ruling is made; it names the numbers. */
export function RulingConfirm(props: {
  result: DryRunJson;
  busy: boolean;
  apply: (confirm: boolean) => void;
  cancel: () => void;
}) {
  const { result, busy } = props;
  const [accepted, setAccepted] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const risky = result.second_tenant > 0 || result.contradicted > 0;
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="sheet confirm" aria-labelledby="confirm-title" onCancel={props.cancel}>
      <h2 id="confirm-title">{confirmTitle(result)}</h2>
      <p>{dryRunSentence(result, tenantWords)}.</p>
      <Warnings result={result} />
      {risky && (
        <label class="check">
          <input
            type="checkbox"
            checked={accepted}
            onChange={(event) => setAccepted(event.currentTarget.checked)}
          />
          I have looked at these and want it so
        </label>
      )}
      <p class="dim">It can be withdrawn; who saw what until then stays seen.</p>
      <div class="event-actions">
        <button
          type="button"
          class="control primary"
          disabled={busy || (risky && !accepted)}
          onClick={() => props.apply(risky && accepted)}
        >
          Apply
        </button>
        <button type="button" class="control" onClick={props.cancel}>
          Not yet
        </button>
      </div>
    </dialog>
  );
}

function confirmTitle({ leave, truncated }: DryRunJson): string {
  const least = truncated ? "at least " : "";
  return `Let ${least}${formatCount(leave)} ${leave === 1 ? "event" : "events"} leave the quarantine?`;
}
