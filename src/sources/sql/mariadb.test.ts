import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Mariadb } from "../../../test/sql-source/mariadb.ts";
import { hasMariadb, openMariadb } from "../../../test/sql-source/mariadb.ts";
import { sqlIo, TableReader } from "../../../test/sql-source/table-reader.ts";
import { formatInstant } from "../../model/instant.ts";
import { tableMappingSchema } from "./mapping.ts";
import { clockStatement } from "./statement.ts";

const end = { kind: "change", category: "other", summary: "Order {id} is {status}" };
const byId = {
  table: "orders",
  key: ["id"],
  order: { by: "serial", column: "id" },
  open: { when: [{ column: "status", not_in: ["done"] }] },
  row_kind: "order",
  details: ["note"],
  json: ["note"],
  transitions: [
    { name: "opened", stamp: "created_at", type: "order.opened", ...end },
    {
      name: "done",
      when: [{ column: "status", in: ["done"] }],
      stamp: "done_at",
      type: "order.done",
      ...end,
    },
  ],
};
const byTime = {
  table: "tickets",
  key: ["id"],
  order: { by: "time", columns: ["created_at", "updated_at"] },
  created: "created_at",
  row_kind: "ticket",
  transitions: [
    { name: "opened", stamp: "created_at", type: "ticket.opened", ...end, summary: "opened" },
    { name: "state", of: "state", at: ["updated_at"], type: "ticket.{state}", ...end, summary: "is {state}" },
  ],
};

describe.runIf(hasMariadb)("on a real MariaDB (left out where none is installed)", () => {
  let mariadb: Mariadb;
  beforeAll(async () => {
    mariadb = await openMariadb();
    await mariadb.sql(
      "CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, status VARCHAR(20) NOT NULL, note JSON, " +
        "created_at DATETIME(6) NOT NULL DEFAULT NOW(6), done_at TIMESTAMP(6) NULL); " +
        "CREATE TABLE tickets (id INT AUTO_INCREMENT PRIMARY KEY, state VARCHAR(20), " +
        "created_at DATETIME NOT NULL DEFAULT NOW(), updated_at DATETIME(6) NULL)",
    );
  });
  afterAll(() => mariadb.close());

  test("a page's time is that of its snapshot, whether or not there is a row yet", async () => {
    await mariadb.sql("CREATE TABLE empty_at_first (id INT PRIMARY KEY)");
    const mapping = tableMappingSchema.parse({
      ...byId,
      table: "empty_at_first",
      open: undefined,
      details: [],
      json: [],
      transitions: [{ name: "opened", stamp: "created_at", type: "order.opened", ...end }],
    });
    const client = sqlIo(mariadb.url).sql(mariadb.url);
    const { text } = clockStatement("mysql", mapping, 60, null);
    const add = (id: number) => mariadb.sql(`INSERT INTO empty_at_first VALUES (${id})`);
    const whole = "SELECT id FROM empty_at_first ORDER BY id";
    const first = await client.read("UTC", async (query) => {
      await query(text);
      await add(1);
      return query(whole);
    });
    const second = await client.read("UTC", async (query) => {
      await add(2);
      await query(text);
      await add(3);
      return query(whole);
    });
    expect([first, second]).toEqual([[], [{ id: "1" }, { id: "2" }]]);
  });

  test("late commits, late ends and numbers beyond a double are read once each", async () => {
    const orders = new TableReader(mariadb.url, { tables: [byId], page_size: 2 });
    await mariadb.sql("INSERT INTO orders (id, status) VALUES (9007199254740991, 'new')");
    expect(await orders.types()).toEqual(["order.opened"]);
    await mariadb.sql("INSERT INTO orders (id, status, note) VALUES (9007199254740993, 'new', '[1]')");
    const { drafts } = await orders.pass();
    expect(drafts.map(({ subject, details }) => [subject.id, details["note"]])).toEqual([
      ["9007199254740993", [1]],
    ]);
    await mariadb.sql("INSERT INTO orders (id, status) VALUES (9007199254740992, 'new')");
    await mariadb.sql("UPDATE orders SET status = 'done', done_at = NOW(6) WHERE id = 9007199254740991");
    const later = (await orders.pass()).drafts;
    expect(later.map(({ type, subject }) => [type, subject.id])).toEqual([
      ["order.done", "9007199254740991"],
      ["order.opened", "9007199254740992"],
    ]);
    expect(await orders.types()).toEqual([]);
  });

  test("a time of several columns, some of them empty, orders rows and pages", async () => {
    const tickets = new TableReader(mariadb.url, { tables: [byTime], page_size: 2 });
    await mariadb.sql("INSERT INTO tickets (state) VALUES ('new'), ('new'), ('new'), ('new'), ('new')");
    expect(await tickets.types()).toHaveLength(10);
    expect(await tickets.types()).toEqual([]);
    await mariadb.sql("UPDATE tickets SET state = 'closed', updated_at = NOW(6) WHERE id = 3");
    expect(await tickets.types()).toEqual(["ticket.closed"]);
  });

  test("a zero date is set aside alone", async () => {
    await mariadb.sql(
      "SET sql_mode = ''; INSERT INTO orders (status, created_at) VALUES ('new', '0000-00-00'), ('new', NOW(6))",
    );
    const { drafts, setAside } = await new TableReader(mariadb.url, { tables: [byId] }).pass();
    expect(setAside).toEqual([expect.stringContaining("0000-00-00")]);
    expect(drafts.length).toBeGreaterThan(1);
  });

  test("local times are read in the connection's zone, whether the column knows it or not", async () => {
    await mariadb.sql(
      "CREATE TABLE clock (id INT PRIMARY KEY, local DATETIME, known TIMESTAMP NULL); SET time_zone = '+02:00'; " +
        "INSERT INTO clock VALUES (1, '2026-07-01 02:30:00', '2026-07-01 02:30:00')",
    );
    const transitions = ["local", "known"].map((name) => ({
      name,
      stamp: name,
      type: name,
      ...end,
      summary: name,
    }));
    const mapping = { table: "clock", key: ["id"], order: { by: "listing" }, row_kind: "clock", transitions };
    const { drafts } = await new TableReader(mariadb.url, { tables: [mapping], zone: "+02:00" }).pass();
    expect(drafts.map(({ occurredAt }) => formatInstant(occurredAt))).toEqual([
      "2026-07-01T00:30:00.000Z",
      "2026-07-01T00:30:00.000Z",
    ]);
  });

  test("it refuses by code: no such table, no such column, no such zone, no login", async () => {
    const failing = (url: string, config: object) =>
      new TableReader(url, { tables: [byId], ...config }).pass();
    await expect(failing(mariadb.url, { tables: [{ ...byId, table: "nothing" }] })).rejects.toMatchObject({
      code: "source-malformed",
    });
    await expect(failing(mariadb.url, { tables: [{ ...byId, key: ["nothing"] }] })).rejects.toMatchObject({
      code: "source-malformed",
    });
    await expect(failing(mariadb.url, { zone: "Europe/Paris" })).rejects.toMatchObject({
      code: "config-invalid",
    });
    const nobody = mariadb.url.replace("root@", "nobody:canary@");
    const refusal = await failing(nobody, {}).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "source-denied" });
    expect(String(refusal)).not.toContain("canary");
  });
});
