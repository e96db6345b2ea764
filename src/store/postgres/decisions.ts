import type pg from "pg";
import type { Change, DecisionStore } from "../decision-store.ts";
import { writePage, type AppendTools } from "./append.ts";
import { connect, holdConnection } from "./connections.ts";
import { writeRuling } from "./ruling-writes.ts";

/** How each kind of change is carried out, in the decision's transaction. */
const writers: {
  readonly [Kind in Change["kind"]]: (
    client: pg.ClientBase,
    change: Extract<Change, { readonly kind: Kind }>,
  ) => Promise<void>;
} = {
  ruling: writeRuling,
};

export function decisionStore(tools: AppendTools): DecisionStore {
  return {
    decide: async (change, page) => {
      await tools.partitions.ensure(page.events.map(({ draft }) => draft.occurredAt));
      await tools.pools.transact("ingest", "write", async (client) => {
        const { connection: name, source, controlPlane } = page;
        await connect(client, { name, source, controlPlane, config: {} });
        // The same order of locks as in any page: its connection first.
        await holdConnection(client, page);
        await writers[change.kind](client, change);
        await writePage(client, tools, page);
      });
    },
  };
}
