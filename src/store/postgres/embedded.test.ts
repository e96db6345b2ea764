import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connection, draft, event, page } from "../../../test/drafts.ts";
import { eventually } from "../../../test/eventually.ts";
import { runningServer } from "./embedded-data.ts";
import { openStore } from "./open.ts";
import { isAlive } from "./start-lock.ts";

let folder: string;
let dataDir: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isochron-embedded-"));
  // Below a folder that only we may enter, as home directories are.
  dataDir = join(folder, "data");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const provider = { kind: "provider" } as const;

async function serverPid(): Promise<number> {
  const pid = await runningServer(dataDir);
  if (pid === undefined) throw new Error("no server runs");
  return pid;
}

const untilGone = (pid: number) => eventually("the server is gone", () => !isAlive(pid));

test("a second start finds what the first one stored, and closing ends the server", async () => {
  const store = await openStore({ dataDir });
  await store.events.connect(connection);
  await store.events.append(page([event(draft("a", 1))]));
  const digest = await store.digest();
  const pid = await serverPid();
  await store.close();
  expect(isAlive(pid)).toBe(false);
  const again = await openStore({ dataDir });
  expect(await again.digest()).toBe(digest);
  expect(await again.describe()).toMatchObject({ embedded: true, location: dataDir });
  await again.close();
  await again.close();
});

// Only root has a choice of users; anybody else's server runs as themselves, which the last line then shows.
test("the server of root is nobody where that user can reach the data, and the cluster changes hands", async () => {
  const isRoot = process.getuid?.() === 0;
  const digests: string[] = [];
  for (const [mode, uid] of [
    [0o700, 0],
    [0o755, 65534],
    [0o700, 0],
  ] as const) {
    await chmod(folder, mode);
    const store = await openStore({ dataDir });
    digests.push(await store.digest());
    const { serverUid } = await store.describe();
    if (process.platform === "linux") expect(serverUid).toBe(isRoot ? uid : process.getuid?.());
    await store.close();
  }
  expect(new Set(digests).size).toBe(1);
});

test("the server takes no connection over the network and keeps its data from others", async () => {
  const store = await openStore({ dataDir });
  const text = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8");
  expect(text.split("\n")[5]).toBe("");
  await store.close();
});

test("a PostgreSQL that is killed is started again at the next request, with everything that was stored", async () => {
  const store = await openStore({ dataDir });
  await store.events.connect(connection);
  await store.events.append(page([event(draft("a", 1))]));
  const digest = await store.digest();
  const pid = await serverPid();
  process.kill(pid, "SIGKILL");
  await untilGone(pid);
  // A request may find a connection that died with the server; whoever asks again is answered.
  const answer = await store
    .digest()
    .catch(() => store.digest())
    .catch(() => store.digest());
  expect(answer).toBe(digest);
  expect(await store.events.append(page([event(draft("b", 2))]))).toMatchObject({ created: 1 });
  await store.close();
});

test("two stores in the same folder share the server, and it goes with the one that started it", async () => {
  const first = await openStore({ dataDir });
  const second = await openStore({ dataDir });
  await first.events.connect(connection);
  await second.events.append(page([event(draft("a", 1))]));
  const pid = await serverPid();
  await second.close();
  expect(isAlive(pid)).toBe(true);
  expect((await first.reader.timeline(provider, {}, { limit: 9, order: "newest" })).events).toHaveLength(1);
  await first.close();
  expect(isAlive(pid)).toBe(false);
});

test("stores opened at the same moment on a new folder make one cluster", async () => {
  const stores = await Promise.all([1, 2, 3].map(() => openStore({ dataDir })));
  await stores[0]!.events.connect(connection);
  expect((await stores[2]!.reader.coverage(provider)).connections).toHaveLength(1);
  for (const store of stores) await store.close();
});

test("killing the process that started the server ends the server too, and the next start recovers", async () => {
  const script = join(folder, "run.ts");
  const open = new URL("open.ts", import.meta.url).href;
  await writeFile(
    script,
    `import { openStore } from ${JSON.stringify(open)};
     const store = await openStore({ dataDir: ${JSON.stringify(dataDir)} });
     await store.events.connect(${JSON.stringify(connection)});
     console.log("open");
     setInterval(() => undefined, 1000);`,
  );
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const pid = await serverPid();
  child.kill("SIGKILL");
  await once(child, "exit");
  if (process.platform === "linux") await untilGone(pid);
  const store = await openStore({ dataDir });
  expect((await store.reader.coverage(provider)).connections).toHaveLength(1);
  await store.close();
});

test("what another process left behind does not stand in the way", async () => {
  const store = await openStore({ dataDir });
  const pid = await serverPid();
  await store.close();
  await writeFile(join(dataDir, "start.lock"), "999999999\n");
  // The number of the server that is gone may belong to anybody by now, here to ourselves.
  await writeFile(
    join(dataDir, "postgres", "postmaster.pid"),
    `${process.pid}\n${dataDir}/postgres\n0\n5432\n`,
  );
  const again = await openStore({ dataDir });
  expect(await serverPid()).not.toBe(pid);
  await again.close();
});

test("a folder that holds something else is left alone, with a word on what to do", async () => {
  await mkdir(join(dataDir, "postgres"), { recursive: true });
  await writeFile(join(dataDir, "postgres", "thesis.txt"), "precious");
  await expect(openStore({ dataDir })).rejects.toMatchObject({ code: "store-unavailable" });
  expect(await readFile(join(dataDir, "postgres", "thesis.txt"), "utf8")).toBe("precious");
  await writeFile(join(dataDir, "postgres", "PG_VERSION"), "9.6\n");
  await expect(openStore({ dataDir })).rejects.toThrow(/PostgreSQL 9\.6/);
  await writeFile(join(folder, "file"), "");
  await expect(openStore({ dataDir: join(folder, "file") })).rejects.toMatchObject({
    code: "store-unavailable",
  });
});

test("damaged data are reported with the place of the server's last words", async () => {
  await (await openStore({ dataDir })).close();
  await rm(join(dataDir, "postgres", "global", "pg_control"));
  await expect(openStore({ dataDir })).rejects.toThrow(/postgres\.log/);
});

test("a path too long for a socket is no obstacle", async () => {
  dataDir = join(folder, "a".repeat(100));
  const store = await openStore({ dataDir });
  await store.close();
  const noted = (await readFile(join(dataDir, "socket-folder"), "utf8")).trim();
  const again = await openStore({ dataDir });
  expect(await again.describe()).toMatchObject({ location: dataDir });
  await again.close();
  await rm(noted, { recursive: true });
});

test("a URL that cannot be used is refused with what is wrong", async () => {
  await expect(openStore({ databaseUrl: "mysql://x" })).rejects.toMatchObject({ code: "config-invalid" });
  await expect(openStore({ databaseUrl: "postgresql://localhost/db" })).rejects.toMatchObject({
    code: "config-invalid",
  });
  const nobodyHome = `postgresql://x@localhost/db?host=${encodeURIComponent(folder)}`;
  await expect(openStore({ databaseUrl: nobodyHome })).rejects.toMatchObject({ code: "store-unavailable" });
  await expect(openStore({})).rejects.toMatchObject({ code: "usage" });
});
