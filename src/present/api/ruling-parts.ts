import type { Attribution, StoredEvent } from "../../model/event.ts";
import type { RulingAnswer, RulingMatch } from "../../model/ruling.ts";
import type { TenantRef } from "../../model/tenant.ts";
import type { RulingHistory } from "../../store/ruling-store.ts";

/** A ruling with how many events it decides or contradicts just now. */
export interface StandingRuling extends RulingHistory {
  readonly events: number;
  readonly atLeast: boolean;
}

export interface DryRunRequest {
  readonly match: RulingMatch;
  readonly answer: RulingAnswer;
  readonly revises?: string;
}

/** What a ruling would do. */
export interface DryRun {
  readonly digest: string;
  readonly truncated: boolean;
  readonly matching: number;
  readonly leave: number;
  readonly stay: number;
  readonly stayBecause: readonly { readonly reason: string; readonly events: number }[];
  readonly byTenant: readonly {
    readonly tenant: TenantRef;
    readonly events: number;
    readonly notShown: number;
  }[];
  readonly notShown: number;
  readonly provider: number;
  readonly secondTenant: number;
  readonly contradicted: number;
  readonly examples: readonly { readonly event: StoredEvent; readonly wouldBe: Attribution }[];
}

export interface RulingOrder extends DryRunRequest {
  readonly why: string;
  readonly by: string;
  readonly digest: string;
  readonly confirm: boolean;
}

/** Where the provider's people rule. What there is none of is undefined; the rest throws as its implementation says. */
export interface Rulings {
  list(): Promise<{ readonly rulings: readonly StandingRuling[]; readonly truncated: boolean }>;
  find(id: string): Promise<StandingRuling | undefined>;
  dryRun(request: DryRunRequest): Promise<DryRun>;
  make(order: RulingOrder): Promise<StandingRuling>;
  revise(
    id: string,
    order: RulingOrder & { readonly expectedVersion: number },
  ): Promise<StandingRuling | undefined>;
  withdraw(
    id: string,
    order: { readonly why: string; readonly by: string; readonly expectedVersion: number },
  ): Promise<StandingRuling | undefined>;
}
