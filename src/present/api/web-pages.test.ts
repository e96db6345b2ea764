import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { problemIn, startApi } from "../../../test/api-host.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let folder: string;
let app: FastifyInstance;

beforeAll(async () => {
  database = await openTestStore();
  folder = await mkdtemp(join(tmpdir(), "isochron-pages-"));
  const webRoot = join(folder, "web");
  await mkdir(join(webRoot, "assets"), { recursive: true });
  await writeFile(join(folder, "secret.txt"), "not a page");
  await writeFile(join(webRoot, "index.html"), "<!doctype html><title>Isochron</title>");
  await writeFile(join(webRoot, "favicon.svg"), "<svg/>");
  await writeFile(join(webRoot, "assets", "main-abc123.js"), "export {};");
  app = await startApi(database.store, { webRoot });
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
  await database.close();
});

const browse = (url: string, accept = "text/html,*/*;q=0.8") => app.inject({ url, headers: { accept } });

test("the page is checked each time, and runs nothing that stands in the page itself", async () => {
  for (const url of ["/", "/index.html"]) {
    const page = await browse(url);
    expect(page.body).toContain("<title>Isochron</title>");
    expect(page.headers["cache-control"]).toBe("no-cache");
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
    expect(page.headers["content-security-policy"]).not.toContain("unsafe");
    expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  }
});

test("hashed assets are kept for ever, other files are not", async () => {
  const script = await browse("/assets/main-abc123.js", "*/*");
  expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(script.headers["content-type"]).toMatch(/javascript/);
  expect((await browse("/favicon.svg", "image/*")).headers["cache-control"]).toBe("no-cache");
});

test("an address of the application opens its page, for browsers that navigate only", async () => {
  for (const url of ["/t?from=-2h", "/e/abc", "/r/server/web%2F1"]) {
    const page = await browse(url);
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain("<title>Isochron</title>");
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
  }
  const refused = [
    await browse("/t", "application/json"),
    await browse("/assets/gone-1.js"),
    await browse("/api/v1/nothing"),
    await app.inject({ method: "POST", url: "/t", headers: { accept: "text/html" } }),
  ];
  for (const answer of refused) expect(problemIn(answer).code).toBe("not-found");
});

test("nothing outside the folder can be reached", async () => {
  for (const url of [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/..%5csecret.txt",
  ]) {
    expect((await browse(url)).body).not.toContain("not a page");
  }
});

test("a server whose pages were never built says so at its address", async () => {
  const bare = await startApi(database.store);
  const page = await bare.inject({ url: "/", headers: { accept: "text/html" } });
  expect(page.statusCode).toBe(404);
  expect(page.headers["content-type"]).toContain("text/html");
  expect(page.body).toContain("npm run build:web");
  const problem = await bare.inject({ url: "/", headers: { accept: "application/json" } });
  expect(problemIn(problem)).toMatchObject({ code: "not-found", detail: "The web pages are not built." });
  await bare.close();
});
