import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { RequestFailure } from "../state/client.ts";
import { ErrorNotice } from "./error-notice.tsx";

/** A page whose code is fetched when it is first visited, so that the timeline's own stays small. */
export function LazyPage({ load }: { load: () => Promise<ComponentType> }) {
  const [page, setPage] = useState<{ readonly Shown: ComponentType } | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    load().then(
      (Shown) => {
        if (!gone) setPage({ Shown });
      },
      (error: unknown) => {
        // A browser says TypeError where a part of the pages cannot be fetched.
        if (!(error instanceof TypeError)) throw error;
        if (!gone) setFailed(true);
      },
    );
    return () => {
      gone = true;
    };
  }, [load]);
  if (failed) {
    return (
      <main class="page">
        <ErrorNotice failure={pageMissing()} retry={() => location.reload()} />
      </main>
    );
  }
  return page === undefined ? <main class="page" aria-busy="true" /> : <page.Shown />;
}

function pageMissing(): RequestFailure {
  return new RequestFailure(0, {
    code: "page-unreachable",
    detail: "This page could not be fetched.",
    remedy: "The server may have been renewed or restarted: load the page again.",
  });
}
