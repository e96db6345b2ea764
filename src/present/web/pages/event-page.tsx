import { useEffect, useState } from "preact/hooks";
import type { EventJson } from "../../api/contract.ts";
import { readApi, RequestFailure } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { goTo } from "../state/route.ts";
import { plainView, spellView } from "../state/view.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";

/** How much time a permalink shows around its event. */
const aroundMs = 5 * 60_000;

/** The permalink of one event: the timeline around it, with it selected. */
export function LookUpEvent({ id }: { id: string }) {
  const [failure, setFailure] = useState<RequestFailure | undefined>(undefined);
  useEffect(() => {
    let gone = false;
    readApi<EventJson>(`events/${encodeURIComponent(id)}`).then(
      (event) => {
        if (gone) return;
        const at = Date.parse(event.occurred_at);
        const zone = new URLSearchParams(location.search).get("tz") ?? preferredZone.peek();
        const view = {
          ...plainView(zone),
          from: { kind: "absolute", ms: at - aroundMs } as const,
          to: { kind: "absolute", ms: at + aroundMs } as const,
          selected: id,
        };
        goTo(`/t?${spellView(view)}`, "replace");
      },
      (error: unknown) => {
        if (!(error instanceof RequestFailure)) throw error;
        if (!gone) setFailure(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [id]);
  if (failure === undefined) return <main class="page" aria-busy="true" />;
  return (
    <main class="page">
      <h1>{failure.status === 404 ? "No such event" : "The event cannot be shown"}</h1>
      <p>
        {failure.status === 404 ? "It does not exist, or it lies outside what you may see." : failure.detail}
      </p>
      {failure.status !== 404 && <ErrorNotice failure={failure} />}
      <p>
        <a href="/t">Go to the timeline</a>
      </p>
    </main>
  );
}
