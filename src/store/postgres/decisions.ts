import type pg from "pg";
import type { Change, DecisionStore } from "../decision-store.ts";
import { writePage, type AppendTools } from "./append.ts";
import { connect, holdConnection } from "./connections.ts";
import { writeNoticeTemplate } from "./notice-templates.ts";
import { writeRuling } from "./ruling-writes.ts";

/** Carries a change out, in the decision's transaction. */
function carryOut(client: pg.ClientBase, change: Change): Promise<void> {
  switch (change.kind) {
    case "ruling":
      return writeRuling(client, change);
    case "notice-template":
      return writeNoticeTemplate(client, change);
  }
}

export function decisionStore(tools: AppendTools): DecisionStore {
  return {
    decide: async (change, page) => {
      await tools.partitions.ensure(page.events.map(({ draft }) => draft.occurredAt));
      await tools.pools.transact("ingest", "write", async (client) => {
        const { connection: name, source, controlPlane } = page;
        await connect(client, { name, source, controlPlane, config: {} });
        // The same order of locks as in any page: its connection first.
        await holdConnection(client, page);
        await carryOut(client, change);
        await writePage(client, tools, page);
      });
    },
  };
}
