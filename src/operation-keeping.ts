import type { Logger } from "./log.ts";
import type { Stages } from "./pipeline/ingest.ts";
import { keepWatchingOperationEnds } from "./pipeline/operation-ends.ts";
import type { Store } from "./store/store.ts";

/** Looks after operations whose end does not come, until the signal ends it. */
export function watchOperations(
  { reader, operations }: Pick<Store, "reader" | "operations">,
  { stages, holder, log }: { readonly stages: Stages; readonly holder: string; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const onError = (err: unknown): void => log.error({ err }, "ends of operations were not looked for");
  return keepWatchingOperationEnds({ reader, operations, stages, holder, onError }, signal);
}
