import { describe, expect, test } from "vitest";
import { createLog } from "./log.ts";

function capture(format: "json" | "pretty", level = "info") {
  let text = "";
  const log = createLog({ level, format, colour: false, stream: { write: (line) => void (text += line) } });
  return { log, text: () => text };
}

describe("the log", () => {
  test("secrets are censored by name and by shape, wherever they are", () => {
    const { log, text } = capture("json");
    log.child({ token: "hunter2" }).info(
      {
        headers: { authorization: "Basic hunter2", cookie: ["hunter2"], accept: "x" },
        deep: [{ os_password: "hunter2", apiKey: { value: "hunter2" } }],
        url: "postgres://user:hunter2@host/db",
        tokens: 3,
      },
      `asked with iso_${"h".repeat(43)} and Bearer hunter2hunter2`,
    );
    log.error(
      Object.assign(new Error("amqp://u:hunter2@h failed"), { config: { secret: "hunter2" } }),
      "failed",
    );
    expect(text()).not.toMatch(/hunter2|hhhhh/);
    const [first] = text()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ level: "info", tokens: 3, url: "postgres://user:[redacted]@host/db" });
  });

  test("what an address carries for a sign-in is censored, and the rest of it is told", () => {
    const { log, text } = capture("json");
    const query = "code=hunter2&state=hunter2&iss=https%3A%2F%2Fid&access_token=hunter2&X-Api-Key=hunter2";
    const url = `/callback?session_state=hunter2&${query}&limit=5`;
    log.info({ req: { method: "GET", url } }, `Route GET:${url} not found`);
    expect(text()).not.toContain("hunter2");
    const told = "/callback?session_state=[redacted]&code=[redacted]&state=[redacted]&iss=https%3A%2F%2Fid&";
    expect(text().split(told)).toHaveLength(3);
    expect(text()).toContain('&limit=5"');
  });

  test("no field can forge a line", () => {
    const { log, text } = capture("json");
    log.info({ name: 'a\r\n{"level":"error"}\u0000\u001b[31m' }, "b\nc");
    expect(text().trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(text())).toMatchObject({ msg: "b\nc" });
  });

  test("a terminal obeys nothing that a message holds", () => {
    const { log, text } = capture("pretty");
    log.info({ name: "a\u001b[31m\nb" }, "c\u001b[2J\nERROR: forged");
    log.error(new Error("d\u001b[2J\u0007"), "failed");
    expect(text()).not.toContain("\u001b[2J");
    expect(text()).not.toContain("\u0007");
    expect(text()).not.toMatch(/^ERROR: forged/m);
  });

  test("things with a serializer of their own reach it", () => {
    const { log, text } = capture("json");
    class Request {
      get url() {
        return "/x";
      }
    }
    log
      .child({}, { serializers: { req: (request: Request) => ({ url: request.url }) } })
      .info({ req: new Request() }, "asked");
    expect(JSON.parse(text())).toMatchObject({ req: { url: "/x" } });
  });

  test("what is below the level is not written", () => {
    const { log, text } = capture("json", "warn");
    log.info("quiet");
    expect(text()).toBe("");
  });
});
