import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import { bearer, get, startApi } from "../../../test/api-host.ts";
import { tokenText } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, page, project } from "../../../test/drafts.ts";
import type { TokenScope } from "../../store/token-store.ts";
import type { EventJson } from "./contract.ts";
import { toCsvLine } from "./export-csv.ts";
import { hashToken } from "./sign-in.ts";

let db: TestStore;
let app: FastifyInstance;

const mine = { kind: "project", controlPlane: "default", projectId: "mine" } as const;
const tokens: Readonly<Record<string, TokenScope>> = {
  admin: { ...mine, role: "admin" },
  reader: mine,
  other: { ...mine, projectId: "other", role: "admin" },
  provider: { kind: "provider" },
};

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  await db.store.events.append(
    page(
      Array.from({ length: 450 }, (_, n) =>
        event(
          draft(`e${n}`, n % 97, n % 50 === 0 ? { visibility: "security" } : {}),
          project(n % 3 === 0 ? "other" : "mine"),
        ),
      ),
    ),
  );
  const storm = [1, 2, 3, 4].map((n) => ({
    ...event(
      draft(`alert ${n}`, 200 + n / 10, { type: "alert.firing", kind: "symptom" }),
      project(n === 4 ? "other" : "mine"),
    ),
    storm: true as const,
  }));
  await db.store.events.append(page(storm));
  for (const [name, scope] of Object.entries(tokens))
    await db.store.tokens.create({ name, hash: hashToken(tokenText(name))!, scope });
  app = await startApi(db.store);
});
afterAll(async () => {
  await app.close();
  await db.close();
});

interface Line {
  readonly event?: EventJson;
  readonly member?: EventJson;
  readonly of?: string;
  readonly cursor?: string;
  readonly manifest?: { readonly counts: object; readonly sha256: string; readonly resumed: boolean };
}

async function exported(as: string, query = ""): Promise<{ lines: readonly Line[]; body: string }> {
  const answer = await get(app, `/export${query}`, as);
  expect(answer.statusCode).toBe(200);
  const lines = answer.body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  return { lines, body: answer.body };
}

/** All that the API shows, page by page, with what each storm stands for. */
async function shown(as: string): Promise<readonly EventJson[]> {
  const all: EventJson[] = [];
  let cursor: string | null = null;
  do {
    const at: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await get(app, `/events?order=oldest&limit=100${at}`, as);
    const body = answer.json<{ events: EventJson[]; next_cursor: string | null }>();
    for (const one of body.events) {
      all.push(one);
      if (one.details["storm"] === undefined) continue;
      const members = await get(app, `/events/${one.id}/members?order=oldest`, as);
      all.push(...members.json<{ events: EventJson[] }>().events);
    }
    cursor = body.next_cursor;
  } while (cursor !== null);
  return all;
}

test("an export holds exactly what the API shows its tenant, and its manifest vouches for each line", async () => {
  for (const as of ["admin", "other"]) {
    const { lines, body } = await exported(as);
    const events = lines.flatMap(({ event: one, member }) => one ?? member ?? []);
    expect(events).toEqual(await shown(as));
    const before = body.slice(0, body.lastIndexOf("\n", body.length - 2) + 1);
    expect(lines.at(-1)?.manifest).toMatchObject({
      counts: {
        events: lines.filter((line) => line.event !== undefined).length,
        members: lines.filter((line) => line.member !== undefined).length,
      },
      resumed: false,
      sha256: createHash("sha256").update(before).digest("hex"),
    });
  }
  expect((await exported("admin")).lines.some(({ member }) => member !== undefined)).toBe(true);
});

test("an export that was cut off goes on from any of its cursors, and together they are the whole", async () => {
  const { lines } = await exported("admin");
  const cursors = lines.flatMap(({ cursor }, at) => (cursor === undefined ? [] : [{ cursor, at }]));
  expect(cursors.length).toBeGreaterThan(0);
  for (const { cursor, at } of cursors) {
    const rest = await exported("admin", `?cursor=${encodeURIComponent(cursor)}`);
    const told = (some: readonly Line[]) => some.filter(({ manifest }) => manifest === undefined);
    expect(told(rest.lines)).toEqual(told(lines.slice(at + 1)));
    expect(rest.lines.at(-1)?.manifest?.resumed).toBe(true);
    expect((await get(app, `/export?cursor=${encodeURIComponent(cursor)}`, "other")).statusCode).toBe(400);
  }
});

test("a tenant's reader and a provider as itself find nothing to export, and each export is in the audit", async () => {
  for (const as of ["reader", "provider"]) expect((await get(app, "/export", as)).statusCode).toBe(404);
  const before = (await db.store.audit.list({ action: "export" }, 100)).entries.length;
  await exported("admin");
  const { entries } = await db.store.audit.list({ action: "export" }, 100);
  expect(entries.length).toBe(before + 1);
  expect(entries[0]).toMatchObject({ object: "export:project/default/mine", outcome: "done" });
});

describe("an export that is under way", () => {
  test.each([
    ["ndjson", "its token is revoked"],
    ["csv", "its token is revoked"],
    ["csv", "the server closes"],
  ])("as %s is broken off when %s, and never looks complete", async (format, when) => {
    const name = `brief ${format} ${when}`;
    const hash = hashToken(tokenText(name))!;
    const { id } = await db.store.tokens.create({ name, hash, scope: { ...mine, role: "admin" } });
    let closed: Promise<unknown> = Promise.resolve();
    let pages = 0;
    const timeline: typeof db.store.reader.timeline = async (...asked) => {
      pages += 1;
      const page = await db.store.reader.timeline(...asked);
      if (pages === 2 && when === "the server closes") closed = server.close();
      else if (pages === 2) await db.store.tokens.revoke(id);
      return page;
    };
    const store = { ...db.store, reader: { ...db.store.reader, timeline } };
    const server = await startApi(store, { limits: { liveRecheckMs: 0 } });
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/api/v1/export?format=${format}`;
    const answer = await fetch(url, { headers: bearer(name) });
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow("terminated");
    expect(pages).toBe(2);
    await closed;
    await server.close();
  });
});

test("a table has a line for each event and member, under a head", async () => {
  const answer = await get(app, "/export?format=csv", "admin");
  expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8");
  const lines = answer.body.trimEnd().split("\r\n");
  expect(lines[0]).toMatch(/^id,occurred_at,/);
  expect(lines).toHaveLength((await shown("admin")).length + 1);
});

test("no cell of a table is a formula to a spreadsheet, and each reads back as it was", () => {
  const base = { subject: { kind: "server", id: "s" }, attribution: {}, related: [], details: {} };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom("=1+1", "+1", "-1", "@x", "\t=1", "\r\n=1", " =1", '=HYPERLINK("x")', "|x", "＝1"),
      ),
      (summary) => {
        const line = toCsvLine({ ...base, summary } as unknown as EventJson, "");
        const cells = [...line.slice(0, -2).matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/gsu)].map(([, cell]) =>
          cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!,
        );
        const cell = cells[14]!;
        expect([summary, `'${summary}`]).toContain(cell);
        expect(cell.trimStart()).not.toMatch(/^[=+\-@|＝＋－＠]/u);
      },
    ),
    { numRuns: 500 },
  );
});
