import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearer, get, getJson, pageRequest, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { fillWorld, tokenText } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { clean } from "../../normalise/clean.ts";
import { createNotices, type Notices } from "../../pipeline/notices.ts";
import type { EventsPageJson } from "./contract.ts";
import {
  noticeTemplateHistorySchema,
  noticeTemplateSchema,
  noticeTemplatesSchema,
  templatePreviewSchema,
  type NoticeTemplateHistoryJson,
  type NoticeTemplatesJson,
} from "./tenancy-contract.ts";

const clock = new TestClock();
let database: TestStore;
let app: FastifyInstance;
let notices: Notices;

beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
  notices = createNotices(database.store, clean, clock.read);
  app = await startApi(database.store, { notices: notices.desk, clock: clock.read });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

function put(name: string, payload: object, as = "provider") {
  const url = `/api/v1/notice-templates/${name}`;
  return app.inject({ method: "PUT", url, headers: bearer(as), payload });
}

function remove(name: string, query: string) {
  const url = `/api/v1/notice-templates/${name}?${query}`;
  return app.inject({ method: "DELETE", url, headers: bearer("provider") });
}

const edit = (text: string, expected_version: number) => ({ text, expected_version, why: "Plainer words." });

describe("the texts of notices", () => {
  test("are the shipped ones at first, each with a sample and the placeholders that it may hold", async () => {
    const listed = await getJson<NoticeTemplatesJson>(app, "/notice-templates", "provider");
    expect(noticeTemplatesSchema.parse(listed)).toEqual(listed);
    expect(listed.templates.map(({ name }) => name)).toContain("host-failure");
    for (const template of listed.templates) {
      expect(template).toMatchObject({ edited: false, version: 0, changed: null });
      expect(template.sample).not.toMatch(/[{}]/);
    }
    expect(listed.placeholders.map(({ name }) => name)).toEqual([
      "resources",
      "count",
      "part",
      "when",
      "what",
    ]);
  });

  test("an edit holds for notices made from then on, and is told as an event in the same transaction", async () => {
    const changed = await put("recovery", edit("{part} is well again for {resources}", 0));
    expect(changed.statusCode).toBe(200);
    expect(noticeTemplateSchema.parse(changed.json())).toMatchObject({
      edited: true,
      version: 1,
      changed: { why: "Plainer words." },
      sample: "part-3f9a2c71 is well again for 2 of your servers (web-01, web-02)",
    });
    const { events } = await getJson<EventsPageJson>(app, "/events?type=isochron.template.*", "provider");
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: "isochron.template.changed",
      category: "tenancy",
      kind: "human",
      subject: { kind: "notice_template", id: "recovery" },
      attribution: { status: "provider" },
      details: { why: "Plainer words.", after: "{part} is well again for {resources}" },
    });
    expect((await getJson<EventsPageJson>(app, "/events?type=isochron.*", "north")).events).toEqual([]);
  });

  test("an edit of a version that is no more is a conflict, and leaves no event", async () => {
    const late = await put("recovery", edit("Something else", 0));
    expect(problemIn(late)).toMatchObject({ status: 409, code: "template-changed" });
    const { events } = await getJson<EventsPageJson>(app, "/events?type=isochron.template.*", "provider");
    expect(events).toHaveLength(1);
  });

  test("of two who edit at once one is told that the other was first", async () => {
    const both = await Promise.all(["One", "Other"].map((text) => put("live-migration", edit(text, 0))));
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409]);
  });

  test("going back to the shipped text is a decision of its own, and all of them are kept", async () => {
    const back = await remove("recovery", "expected_version=1&why=It%20was%20better");
    expect(back.json()).toMatchObject({ edited: false, version: 2, changed: { why: "It was better" } });
    const one = await getJson<NoticeTemplateHistoryJson>(app, "/notice-templates/recovery", "provider");
    expect(noticeTemplateHistorySchema.parse(one)).toEqual(one);
    expect(one.history.map(({ version, text }) => [version, text])).toEqual([
      [2, null],
      [1, "{part} is well again for {resources}"],
    ]);
  });

  test("going back to the shipped text where it is in force already changes nothing, and is told to nobody", async () => {
    const told = async () =>
      (await getJson<EventsPageJson>(app, "/events?type=isochron.template.*", "provider")).events.length;
    const before = await told();
    for (const [name, version] of [
      ["recovery", 2],
      ["default", 0],
    ] as const) {
      const again = await remove(name, `expected_version=${version}&why=Again`);
      expect(again.statusCode).toBe(200);
      expect(again.json()).toMatchObject({ edited: false, version });
    }
    expect(await told()).toBe(before);
    const late = problemIn(await remove("recovery", "expected_version=1&why=Again"));
    expect(late).toMatchObject({ status: 409, code: "template-changed" });
  });

  test.each([
    ["", /empty/],
    ["Trouble on {host}", /\{host\} is no placeholder; there are \{resources\}/],
    ["a".repeat(501), /501 characters; 500/],
    ["Trouble\u202e on {part}", /marks that reorder/],
    ["Two\nlines", /line breaks/],
    ["{part", /brace/],
  ])("a text such as %j is refused with what is wrong with it", async (text, says) => {
    const refused = problemIn(await put("default", edit(text, 0)));
    expect(refused).toMatchObject({ status: 422, code: "template-invalid" });
    expect(refused.detail).toMatch(says);
    const previewed = await app.inject({
      method: "POST",
      url: "/api/v1/notice-templates/preview",
      headers: bearer("provider"),
      payload: { text },
    });
    const preview = templatePreviewSchema.parse(previewed.json());
    expect(preview.problems.map((problem) => problem.says).join(" ")).toBe(refused.detail);
    expect(preview.samples).toEqual([]);
  });

  test("a reason must be given", async () => {
    expect(problemIn(await put("default", { ...edit("Text", 0), why: " " })).status).toBe(400);
    expect(problemIn(await remove("default", "expected_version=0")).status).toBe(400);
  });

  test("what no situation is called is not there", async () => {
    expect((await put("no-such-text", edit("Text", 0))).statusCode).toBe(404);
  });

  test("nobody but the provider learns that they exist", async () => {
    for (const as of ["north", "prod"]) {
      const [there, nowhere] = [await get(app, "/notice-templates", as), await get(app, "/events/none", as)];
      expect([there.statusCode, there.body]).toEqual([404, nowhere.body]);
      expect((await put("default", edit("Mine", 0), as)).body).toBe(nowhere.body);
      expect((await put("default", { nonsense: true }, as)).body).toBe(nowhere.body);
      expect((await get(app, "/notice-templates?nonsense=1", as)).body).toBe(nowhere.body);
    }
  });

  test("a browser changes them only from a page of ours, and not while it looks as a tenant", async () => {
    const opened = await app.inject(
      pageRequest("POST", "/session", undefined, { token: tokenText("provider") }),
    );
    const cookie = String(opened.headers["set-cookie"]).split(";", 1)[0]!;
    const request = {
      method: "PUT",
      url: "/api/v1/notice-templates/default",
      payload: edit("Text", 0),
    } as const;
    expect(problemIn(await app.inject({ ...request, headers: { cookie } })).code).toBe("header-missing");
    const asked = { control_plane: "region-1", project_id: "p-prod" };
    const looked = await app.inject(pageRequest("POST", "/session/as", cookie, asked));
    const tenants = String(looked.headers["set-cookie"]).split(";", 1)[0]!;
    const headers = { "x-isochron-csrf": "1" };
    expect((await app.inject({ ...request, headers: { ...headers, cookie: tenants } })).statusCode).toBe(404);
    expect((await app.inject({ ...request, headers: { ...headers, cookie } })).statusCode).toBe(401);
    const back = await app.inject(pageRequest("DELETE", "/session/as", tenants));
    const own = String(back.headers["set-cookie"]).split(";", 1)[0]!;
    expect((await app.inject({ ...request, headers: { ...headers, cookie: own } })).statusCode).toBe(200);
  });
});
