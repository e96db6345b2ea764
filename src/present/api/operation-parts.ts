import type { Operation, OperationState } from "../../correlate/operation-shape.ts";
import type { EntityRef } from "../../model/entity.ts";
import type { Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";

/** Rebuilds operations out of what the scope sees. */
export interface FindOperations {
  list(
    scope: Scope,
    query: {
      readonly from: Instant;
      readonly to: Instant;
      readonly events?: { readonly projectId?: string; readonly resource?: EntityRef };
      readonly states?: readonly OperationState[];
      readonly templates?: readonly string[];
      readonly stuck?: boolean;
    },
  ): Promise<{ readonly operations: readonly Operation[]; readonly truncated: boolean }>;
  /** Undefined where nothing of it is in scope. */
  find(scope: Scope, id: string): Promise<Operation | undefined>;
}
