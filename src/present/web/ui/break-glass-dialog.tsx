import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RequestFailure } from "../state/client.ts";
import { breakGlass, breakGlassOpen } from "../state/glass.ts";
import { problemOfReason } from "../state/glass-words.ts";
import { ErrorNotice } from "./error-notice.tsx";

/** Asks for the reason before anything that is withheld is shown. */
export function BreakGlassDialog() {
  return breakGlassOpen.value ? <ReasonDialog close={() => void (breakGlassOpen.value = false)} /> : null;
}

function ReasonDialog({ close }: { close: () => void }) {
  const [why, setWhy] = useState("");
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<RequestFailure>();
  const dialog = useRef<HTMLDialogElement>(null);
  const problem = asked ? problemOfReason(why) : undefined;
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const submit = async (): Promise<void> => {
    setAsked(true);
    if (busy || problemOfReason(why) !== undefined) return;
    setBusy(true);
    const refused = await breakGlass(why.trim());
    setBusy(false);
    if (refused === undefined) close();
    else setFailure(refused);
  };
  return (
    <dialog ref={dialog} class="sheet confirm" aria-labelledby="glass-title" onCancel={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <h2 id="glass-title">See security events for an hour?</h2>
        <p>
          Sign-ins, grants and keys of every tenant. It is written down that you did, why, and how much you
          read.
        </p>
        <label class="field">
          <span class="field-name">Reason</span>
          <textarea
            rows={3}
            maxLength={500}
            value={why}
            aria-invalid={problem === undefined ? "false" : "true"}
            aria-describedby={problem === undefined ? undefined : "glass-problem"}
            onInput={(event) => setWhy(event.currentTarget.value.replaceAll(/[\r\n]+/g, " "))}
          />
        </label>
        {problem !== undefined && (
          <p id="glass-problem" class="hint problem" role="alert">
            {problem}
          </p>
        )}
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy}>
            Show them
          </button>
          <button type="button" class="control" onClick={close}>
            Not now
          </button>
        </div>
      </form>
    </dialog>
  );
}
