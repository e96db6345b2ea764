import { duration, instant, type Duration, type Instant } from "./model/instant.ts";
import { findAlerts } from "./pipeline/alerts.ts";
import { findBlast } from "./pipeline/blast.ts";
import { compareEvents } from "./pipeline/compare.ts";
import type { Stages } from "./pipeline/ingest.ts";
import { openOperations } from "./pipeline/operations.ts";
import { findWhatElse } from "./pipeline/what-else.ts";
import type { ApiParts } from "./present/api/api-parts.ts";
import { sources } from "./sources/registry.ts";
import type { Store } from "./store/store.ts";

/** The answers of correlation, as the API asks for them: what else changed, what a failure reaches, what stands out. */
export function correlationAnswers({
  store,
  stages: { buildView },
}: {
  readonly store: Store;
  readonly stages: Pick<Stages, "buildView">;
}): Pick<ApiParts, "whatElse" | "blast" | "compare" | "alerts" | "operations"> {
  const { reader, topology, correlation, maintenance, feedback, typePairs, alertSplits } = store;
  const now = (): Instant => instant(Date.now());
  const clockErrorOf = (name: string): Duration =>
    sources.find((source) => source.name === name)?.contract.clockErrorMax ?? duration(0);
  const whatElse = {
    reader,
    correlation,
    maintenance,
    feedback,
    typePairs,
    buildView,
    clockErrorOf,
  };
  return {
    whatElse: (scope, query) => findWhatElse(whatElse, scope, query),
    blast: (scope, query) => findBlast({ reader, topology, buildView }, scope, query),
    alerts: (scope, query) =>
      findAlerts({ reader, topology, maintenance, alertSplits, buildView, now }, scope, query),
    operations: openOperations({ reader, operations: store.operations, now }),
    compare: (scope, query) => compareEvents(reader, scope, query),
  };
}
