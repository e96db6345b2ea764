import type pg from "pg";
import type { AuditRecord } from "../audit-store.ts";
import type { Change, DecisionStore } from "../decision-store.ts";
import { writePage, type AppendTools } from "./append.ts";
import type { OpenAudit } from "./audit.ts";
import { writeAudit } from "./audit-writes.ts";
import { connect, holdConnection } from "./connections.ts";
import { eventId } from "./event-id.ts";
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

export function decisionStore(
  tools: AppendTools,
  audit: Pick<OpenAudit, "signer" | "tellAppended">,
): DecisionStore {
  return {
    decide: async (change, page, record) => {
      await tools.partitions.ensure(page.events.map(({ draft }) => draft.occurredAt));
      await tools.pools.transact("ingest", "write", async (client) => {
        const { connection: name, source, controlPlane } = page;
        await connect(client, { name, source, controlPlane, config: {} });
        // The same order of locks as in any page: its connection first.
        await holdConnection(client, page);
        await carryOut(client, change);
        await writePage(client, tools, page);
        // Last: nobody else can append to the trail from here to the commit.
        await writeAudit(client, audit.signer, [linked(record, page)]);
      });
      audit.tellAppended();
    },
  };
}

/** The record with the id of the event that tells the same on the timeline, so that it is not told there twice. */
function linked(
  record: AuditRecord,
  { connection, stream, events }: Parameters<DecisionStore["decide"]>[1],
): AuditRecord {
  const [told] = events;
  if (told === undefined) return record;
  const event = eventId(connection, stream, told.draft.key);
  return { ...record, details: { ...record.details, event } };
}
