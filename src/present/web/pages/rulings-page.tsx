import { useEffect } from "preact/hooks";
import type { RulingsJson } from "../../api/quarantine-contract.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { usePageData } from "../ui/page-data.ts";
import { QuarantineTabs } from "../ui/quarantine-tabs.tsx";
import { RulingCard } from "../ui/ruling-card.tsx";

const refreshMs = 5_000;

/** Everything that was ruled: what it is about, what it holds, who decided it, and the way back. */
export function RulingsPage() {
  const { data, failure, since, retry } = usePageData<RulingsJson>("rulings", refreshMs);
  useEffect(() => void (document.title = "Rulings · Isochron"), []);
  return (
    <main class="page">
      <h1>Rulings</h1>
      <QuarantineTabs at="rulings" />
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <div class={failure === undefined ? "" : "dimmed"}>
          {data.rulings.length === 0 ? (
            <p class="lead">Nothing was ruled yet. A rule starts from a group of waiting events.</p>
          ) : (
            <ul class="cards">
              {data.rulings.map((ruling) => (
                <RulingCard key={ruling.id} ruling={ruling} reread={retry} />
              ))}
            </ul>
          )}
          {data.truncated && <p class="hint">There are older rulings; the latest are shown.</p>}
        </div>
      )}
    </main>
  );
}
