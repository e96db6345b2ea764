import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTestStore, type TestStore } from "./database.ts";
import { RunningIsochron } from "./isochron-command.ts";

let opened: TestStore;
let folder: string;
/** A source that takes requests and answers none. */
let mute: Server;
let asked: Promise<void>;

beforeEach(async () => {
  opened = await openTestStore();
  folder = await mkdtemp(join(tmpdir(), "isochron-interrupted-"));
  const { promise, resolve } = Promise.withResolvers<void>();
  asked = promise;
  mute = createServer(() => resolve());
  await new Promise<void>((listening) => mute.listen(0, "127.0.0.1", listening));
  const { port } = mute.address() as AddressInfo;
  const connection = { name: "alerts", source: "alertmanager-pull", control_plane: "lab" };
  const config = { url: `http://127.0.0.1:${port}` };
  await writeFile(
    join(folder, "isochron.yaml"),
    JSON.stringify({ connections: [{ ...connection, config }] }),
  );
});

afterEach(async () => {
  mute.closeAllConnections();
  await new Promise((closed) => mute.close(closed));
  await rm(folder, { recursive: true, force: true });
  await opened.close();
});

it.each([
  ["harvest", "SIGINT"],
  ["reconcile", "SIGTERM"],
] as const)("a single %s that gets %s hands its connection back at once", async (command, signal) => {
  const running = new RunningIsochron([command, "alerts", "--database-url", opened.url], { cwd: folder });
  try {
    await Promise.race([asked, running.finished]);
    expect(await opened.sql("SELECT holder IS NOT NULL AS held FROM isochron.connection")).toEqual([
      { held: true },
    ]);
    expect(await running.end(signal)).toMatchObject({ code: 130, signal: null });
    const left = "SELECT holder, lease_until, last_error FROM isochron.connection";
    expect(await opened.sql(left)).toEqual([{ holder: null, lease_until: null, last_error: null }]);
  } finally {
    await running.end("SIGKILL");
  }
});
