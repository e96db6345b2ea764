import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbedded } from "../src/store/postgres/embedded.ts";
import { openStore } from "../src/store/postgres/open.ts";
import { dumpSchema } from "../src/store/postgres/schema-dump.ts";

// Writes src/store/postgres/schema.sql anew, from a store that the migrations have just made.

const folder = await mkdtemp(join(tmpdir(), "isochron-schema-"));
const server = await startEmbedded(folder, () => undefined);
try {
  const store = await openStore({ dataDir: folder });
  await store.close();
  const admin = new pg.Client(server.admin);
  await admin.connect();
  try {
    await writeFile(new URL("../src/store/postgres/schema.sql", import.meta.url), await dumpSchema(admin));
  } finally {
    await admin.end();
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
