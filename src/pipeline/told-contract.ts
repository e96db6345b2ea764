import type { SourceContract } from "../sources/source.ts";

/** A contract in the words of the HTTP API: times in milliseconds, null for a source that keeps nothing for us. */
export function tellContract(contract: SourceContract) {
  return {
    identity: contract.identity,
    version: contract.version,
    ordering: contract.ordering,
    commit_delay_max_ms: contract.commitDelayMax,
    clock_error_max_ms: contract.clockErrorMax,
    retention_ms: contract.retention ?? null,
    delivery: contract.delivery,
    revisions: contract.revisions,
    blind_spots: contract.blindSpots,
  };
}
