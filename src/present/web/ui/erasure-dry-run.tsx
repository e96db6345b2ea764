import { useState } from "preact/hooks";
import type { ErasureDryRunJson } from "../../api/retention-contract.ts";
import { sendApi } from "../state/client.ts";
import { countsWords } from "../state/retention-words.ts";
import { session } from "../state/session.ts";
import { targetWords, toTarget } from "../state/tenant-target.ts";
import type { TenantChoice } from "../state/tenant-tree.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useSending } from "./sending.ts";
import { TenantPick } from "./tenant-pick.tsx";

/** What erasing a tenant or a person would take. To erase takes the command: no click in a browser can do it. */
export function ErasureDryRun() {
  const [choice, setChoice] = useState<TenantChoice>();
  const [userId, setUserId] = useState("");
  const [result, setResult] = useState<{ of: string; counts: string }>();
  const { busy, failure, send } = useSending();
  const user = userId.trim();
  const isOne = (choice === undefined) !== (user === "");
  const ask = async (event: Event) => {
    event.preventDefault();
    if (!isOne || busy) return;
    const target = choice === undefined ? { user_id: user } : toTarget(choice);
    const of = choice === undefined ? `user ${user}` : targetWords(toTarget(choice), session.value);
    setResult(undefined);
    const done = await send(() => sendApi<ErasureDryRunJson>("POST", "erasures/dry-run", { target }));
    if (done !== undefined) setResult({ of, counts: countsWords(done.answer.counts) });
  };
  return (
    <details class="admin-details">
      <summary>What would an erasure take?</summary>
      <form class="withdraw" onSubmit={(event) => void ask(event)}>
        <div class="admin-form">
          <TenantPick
            label="Tenant"
            words={choice === undefined ? "none" : targetWords(toTarget(choice), session.value)}
            chosen={choice}
            withCustomers
            none="None of these"
            onPick={setChoice}
          />
          <label class="field">
            <span class="field-name">or a person’s user id</span>
            <input
              value={userId}
              maxLength={200}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setUserId(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="control" disabled={busy || !isOne}>
            Count
          </button>
        </div>
        {failure !== undefined && <ErrorNotice failure={failure} />}
        {result !== undefined && (
          <div class="notice" role="status">
            <p>
              <strong>{result.of}:</strong> {result.counts} Nothing was changed.
            </p>
          </div>
        )}
        <p class="hint">
          It only counts. <code>isochron erase</code> erases, for good, with a reason.
        </p>
      </form>
    </details>
  );
}
