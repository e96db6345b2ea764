import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import type { Ruling } from "../model/ruling.ts";
import { indexRulings, type RuledDraft } from "../model/ruling-index.ts";
import type { ResolvedDraft, TopologyView } from "../resolve/resolver.ts";
import type { Connection } from "../sources/source.ts";
import type { RulingSet, RulingStore } from "../store/ruling-store.ts";

/** What operators decided, and the pure step that applies it. */
export interface RulingStage {
  readonly book: RulingBook;
  readonly apply: (
    resolved: readonly ResolvedDraft[],
    rulings: readonly Ruling[],
    connection: string,
    view: TopologyView,
  ) => readonly ResolvedDraft[];
}

/**
 * The rulings in force, read anew whenever their number has changed. What another process decides between two looks is
 * no loss: the store compares the number again when it writes, and has asked about again what was answered without it.
 */
export class RulingBook {
  readonly #store: Pick<RulingStore, "version" | "current">;
  #set: RulingSet | undefined;

  constructor(store: Pick<RulingStore, "version" | "current">) {
    this.#store = store;
  }

  async current(): Promise<RulingSet> {
    const version = await this.#store.version();
    if (this.#set?.version !== version) this.#set = await this.#store.current();
    return this.#set;
  }
}

/** One set of rulings as it stands before the events of one connection. */
export interface Ruled {
  /** Absent where no rulings are applied. */
  readonly version?: number;
  /** The tenants that rulings about these drafts name, whose domain has to be in the view. */
  ownerKeys(drafts: readonly EventDraft[]): readonly string[];
  apply(resolved: readonly ResolvedDraft[], view: TopologyView): readonly ResolvedDraft[];
}

export async function openRulings(stage: RulingStage | undefined, connection: Connection): Promise<Ruled> {
  return rulingsUnder(stage, await stage?.book.current(), connection);
}

export function rulingsUnder(
  stage: RulingStage | undefined,
  set: RulingSet | undefined,
  { name, controlPlane }: Pick<Connection, "name" | "controlPlane">,
): Ruled {
  if (stage === undefined || set === undefined) return { ownerKeys: () => [], apply: (resolved) => resolved };
  const { version, rulings } = set;
  if (rulings.length === 0) return { version, ownerKeys: () => [], apply: (resolved) => resolved };
  const index = indexRulings(rulings);
  const place = { connection: name, controlPlane };
  return {
    version,
    ownerKeys: (drafts: readonly RuledDraft[]) => {
      const owners = drafts
        .flatMap((draft) => index.about(draft, place))
        .flatMap(({ answer }) => (answer.kind === "tenant" ? [entityKey(answer.owner)] : []));
      return [...new Set(owners)];
    },
    apply: (resolved, view) => stage.apply(resolved, rulings, name, view),
  };
}
