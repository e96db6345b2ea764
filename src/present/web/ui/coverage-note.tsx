import { formatMoment } from "../time/zone.ts";
import { incompleteWords, namelessHoles } from "../timeline/blind-spans.ts";
import { behindAt } from "../timeline/coverage.ts";
import type { CoverageJson } from "../../api/contract.ts";

/** Where an answer about [from, to) may lack events, in words; nothing where it lacks none. */
export function CoverageNote(props: { coverage: CoverageJson; from: number; to: number; zone: string }) {
  const { coverage, from, to, zone } = props;
  const behind = behindAt(coverage.connections, to, Date.now());
  const blind = incompleteWords(namelessHoles(coverage.holes), { from, to }, zone);
  // A tenant is told one moment for all sources.
  const reached = coverage.connections.length === 0 ? coverage.complete_to : null;
  const short = reached !== null && Date.parse(reached) < to;
  if (behind.length === 0 && blind === undefined && !short) return null;
  return (
    <div class="notice coverage-note" role="note">
      {blind !== undefined && <p>Something may be missing: {blind}.</p>}
      {behind.length > 0 && (
        <p>
          {behind.map((entry) => entry.connection).join(", ")} {behind.length === 1 ? "is" : "are"} not known
          to be complete up to then. Quiet there is unknown.
        </p>
      )}
      {short && <p>Complete to {formatMoment(Date.parse(reached), zone)} only.</p>}
    </div>
  );
}
