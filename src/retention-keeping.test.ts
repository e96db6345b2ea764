import { expect, test } from "vitest";
import { openTestStore } from "../test/database.ts";
import { connection, draft, event, page, project } from "../test/drafts.ts";
import { eventually } from "../test/eventually.ts";
import { loadConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { keepStoreShort } from "./retention-keeping.ts";

test("what retention deletes is written down, and how much", async () => {
  const db = await openTestStore();
  const ended = new AbortController();
  await db.store.events.connect(connection);
  await db.store.events.append(page([event(draft("old", 1), project("p-1", "d-1"))]));
  const config = {
    ...loadConfig({ env: { HOME: "/nowhere" }, cwd: "/nowhere" }),
    retention: { days: { operational: 0.01 }, tenants: new Map() },
  };
  const log = createLog({ level: "silent", format: "json", colour: false });
  const kept = keepStoreShort(config, db.store, { holder: "test", log }).keep(ended.signal);
  try {
    const [entry] = await eventually("the pass is written down", async () => {
      const { entries } = await db.store.audit.list({ action: "retention" }, 10);
      return entries.length === 0 ? undefined : entries;
    });
    expect(entry).toMatchObject({ outcome: "done", details: { events: 1, editions: 1 } });
  } finally {
    ended.abort();
    await kept;
    await db.close();
  }
});
