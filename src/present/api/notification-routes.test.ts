import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, get, getJson, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { makeToken, ToldIdentities } from "../../../test/api-sign-in.ts";
import { controlPlane, fillWorld } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { eventually } from "../../../test/eventually.ts";
import { notifyWorld, Receiver, storedRule, type NotifyWorld } from "../../../test/notify-world.ts";
import { fireTest, passAll } from "../../pipeline/notify/notifier.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { NewRuleJson, RuleJson, RulesJson } from "./notification-contract.ts";
import { derivedSigningKey, openUrl } from "./notification-json.ts";
import { makerConfirmedForMs, rightOfRule } from "./notification-right.ts";
import { TenantDirectory } from "./tenant-directory.ts";

let database: TestStore;
let app: FastifyInstance;
let receiver: Receiver;
let world: NotifyWorld;
const clock = new TestClock();
const written: AuditRecord[] = [];
const ids = new Map<string, string>();
const secret = new Uint8Array(32).fill(1);
const service = new ToldIdentities();
let directory: TenantDirectory;

beforeAll(async () => {
  database = await openTestStore();
  const { store } = database;
  await fillWorld(store);
  for (const [name, scope] of [
    ["north admin", { kind: "domain", controlPlane, domainId: "d-north", role: "admin" }],
    ["north reader", { kind: "domain", controlPlane, domainId: "d-north", role: "reader" }],
    ["south admin", { kind: "project", controlPlane, projectId: "p-south", role: "admin" }],
    ["operator", { kind: "provider", role: "operator" }],
    ["provider admin", { kind: "provider", role: "admin" }],
  ] as const)
    ids.set(name, await makeToken(store, name, scope));
  receiver = await new Receiver().open();
  world = notifyWorld(store);
  directory = new TenantDirectory(store.topology, clock.read);
  const tools = {
    ...world.tools,
    now: clock.read,
    openTarget: (rule: Parameters<typeof world.tools.openTarget>[0]) => ({
      url: openUrl(secret, rule.id, rule.target.sealedUrl)!,
      signingSecret: derivedSigningKey(secret, rule.id),
    }),
    rightOf: (one: Parameters<typeof world.tools.rightOf>[0]) =>
      rightOfRule({ tokens: store.tokens, directory, clock: clock.read }, one),
  };
  Object.assign(world.tools, tools);
  const append = async (records: readonly AuditRecord[]) => void written.push(...records);
  app = await startApi(
    { ...store, audit: { ...store.audit, append } },
    {
      clock: clock.read,
      secret,
      identityProviders: [service],
      notifications: {
        store: store.notifications,
        fireTest: (rule) => fireTest(world.tools, rule, new AbortController().signal),
        checkTarget: (owner, url) => {
          if (owner === "provider") world.tools.outletOf(owner).addresses.check(url);
        },
      },
    },
  );
});
afterAll(async () => {
  await app.close();
  await world.close();
  await receiver.close();
  await database.close();
});

const send = (method: "POST" | "PUT", as: string, path: string, payload?: object) =>
  app.inject({
    method,
    url: `/api/v1/notification-rules${path}`,
    headers: bearer(as),
    ...(payload === undefined ? {} : { payload }),
  });
const order = (fields: object = {}) => ({
  name: "a rule",
  format: "webhook",
  url: "https://hooks.example.org/T1/secret-path",
  ...fields,
});
async function make(as: string, fields: object = {}): Promise<NewRuleJson> {
  const answer = await send("POST", as, "", order(fields));
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
}
const editOf = (rule: RuleJson) => ({
  name: rule.name,
  query: rule.query,
  condition: rule.condition,
  group_by: rule.group_by,
  quiet_seconds: rule.quiet_seconds,
  format: rule.format,
  expected_version: rule.version,
});
const north = { control_plane: controlPlane, domain_id: "d-north" };

test("a tenant's administrator makes a rule, is shown its key once, and never the whole address again", async () => {
  const made = await make("north admin");
  expect(made).toMatchObject({
    owner: { control_plane: controlPlane, domain_id: "d-north" },
    reach: "security",
    target: { origin: "https://hooks.example.org" },
    signing_key: expect.stringMatching(/^whsec_/),
  });
  const listed = await get(app, "/notification-rules", "north admin");
  expect(listed.body).toContain(made.id);
  expect(listed.body).not.toContain("secret-path");
  expect(listed.body).not.toContain("whsec_");
  expect(await storedRule(database, made.id)).not.toContain("secret-path");
});

test("to readers, to other tenants and to keys for posting there is nothing here", async () => {
  const made = await make("north admin");
  for (const as of ["north reader", "prod"]) {
    expect((await get(app, "/notification-rules", as)).statusCode).toBe(404);
    expect((await send("POST", as, "", order())).statusCode).toBe(404);
  }
  expect((await getJson<RulesJson>(app, "/notification-rules", "south admin")).rules).toEqual([]);
  for (const path of [`/${made.id}/test`, `/${made.id}/replay`])
    expect(
      (await send("POST", "south admin", path, path.endsWith("replay") ? {} : undefined)).statusCode,
    ).toBe(404);
  expect((await send("PUT", "south admin", `/${made.id}`, editOf(made))).statusCode).toBe(404);
  expect((await get(app, `/notification-rules/${made.id}/deliveries`, "south admin")).statusCode).toBe(404);
  expect((await send("POST", "south admin", "", order({ owner: north }))).statusCode).toBe(404);
});

test("an operator sees rules that run without what is withheld, and no others", async () => {
  const own = await make("operator", { name: "operators" });
  const withheld = await make("provider admin", { name: "admins" });
  const seen = (await getJson<RulesJson>(app, "/notification-rules", "operator")).rules.map(({ id }) => id);
  expect(seen).toContain(own.id);
  expect(seen).not.toContain(withheld.id);
  expect(own.reach).toBe("operational");
  expect(withheld.reach).toBe("security");
});

test("a rule on a tenant's behalf is seen by the tenant, which is not told by whom", async () => {
  const made = await make("operator", { name: "on behalf", owner: north });
  const { rules } = await getJson<RulesJson>(app, "/notification-rules", "north admin");
  expect(rules.find(({ id }) => id === made.id)).toMatchObject({
    made_by: "the provider",
    reach: "operational",
  });
});

test("tenants' rules name no secret of the server, no clear address and nothing of the provider's", async () => {
  for (const [fields, says] of [
    [{ signing_secret: "credential:notify-key" }, "provider alone"],
    [{ url: "http://hooks.example.org/" }, "not encrypted"],
    [{ query: { source: ["nova"] } }, "cannot look for source"],
    [{ opens_incident: true }, "open incidents"],
    [{ condition: { kind: "incident-state", states: ["draft"] } }, "told of incidents"],
    [{ url: "https://user:pass@hooks.example.org/" }, "a user or a password"],
  ] as const) {
    const problem = problemIn(await send("POST", "north admin", "", order(fields)));
    expect(problem).toMatchObject({ code: "notification-invalid", detail: expect.stringContaining(says) });
  }
  expect((await send("POST", "operator", "", order({ signing_secret: "file:/etc/passwd" }))).statusCode).toBe(
    400,
  );
  expect(
    (await send("POST", "operator", "", order({ authorization: "env:ISOCHRON_SECRET" }))).statusCode,
  ).toBe(400);
});

test("no rule on incidents opens incidents", async () => {
  const condition = { kind: "incident-state", states: ["draft"] };
  const answer = await send("POST", "operator", "", order({ condition, opens_incident: true }));
  expect(problemIn(answer)).toMatchObject({ code: "notification-invalid" });
});

test("an address that is not to be asked is refused when the rule is made", async () => {
  const answer = await send("POST", "operator", "", order({ url: "http://169.254.169.254/latest" }));
  expect(problemIn(answer)).toMatchObject({ code: "address-refused" });
});

test("an edit follows the version that was read, and drops secrets that are not named anew", async () => {
  const made = await make("provider admin", { authorization: "env:NOTIFY_TOKEN" });
  const edited = await send("PUT", "provider admin", `/${made.id}`, {
    ...editOf(made),
    name: "renamed",
    enabled: false,
    url: "https://elsewhere.example.org/",
  });
  expect(edited.json()).toMatchObject({
    version: 2,
    enabled: false,
    name: "renamed",
    target: { authorization: null },
  });
  const again = await send("PUT", "provider admin", `/${made.id}`, editOf(made));
  expect(problemIn(again)).toMatchObject({ code: "notification-changed" });
  expect(
    written.filter(({ action }) => action === "notification").map(({ details }) => details),
  ).toContainEqual(expect.objectContaining({ disabled: true }));
});

test("a test fire goes out once, is answered with what became of it, and is audited", async () => {
  const made = await make("operator", { url: receiver.url });
  receiver.received.length = 0;
  const fired = await send("POST", "operator", `/${made.id}/test`);
  expect(fired.json()).toMatchObject({
    kind: "test",
    state: "sent",
    last_answer: "The target answered 204.",
  });
  expect(receiver.received).toHaveLength(1);
  const again = await send("POST", "operator", `/${made.id}/test`);
  expect(problemIn(again)).toMatchObject({ code: "rate-limited" });
  expect(written.at(-1)).toMatchObject({ action: "notification", details: { tested: true } });
});

test("a rule whose token is revoked rests and says why", async () => {
  await makeToken(database.store, "leaving", { kind: "provider", role: "operator" });
  const made = await make("leaving");
  const { rules } = await getJson<RulesJson>(app, "/notification-rules", "operator");
  expect(rules.find(({ id }) => id === made.id)?.paused).toBeNull();
  const token = (await database.store.tokens.list()).find(({ name }) => name === "leaving");
  await database.store.tokens.revoke(token!.id);
  await passAll(world.tools);
  const after = await getJson<RuleJson>(app, `/notification-rules/${made.id}`, "operator");
  expect(after.paused?.why).toBe("The token that made it was revoked.");
  const resumed = await send("PUT", "operator", `/${made.id}`, editOf(after));
  expect(resumed.json()).toMatchObject({ paused: null });
});

test("the right of somebody whom a service vouches for lasts a week, and follows what it says meanwhile", async () => {
  const grant = { kind: "project", controlPlane, projectId: "p-south", role: "admin" } as const;
  const headers = { "x-auth-token": "cred" };
  service.words.set("cred", { user: "u-1", grants: [grant] });
  const answer = await app.inject({
    method: "POST",
    url: "/api/v1/notification-rules",
    headers,
    payload: order(),
  });
  const { id } = answer.json<NewRuleJson>();
  const right = async () => {
    const found = await database.store.notifications.find({ kind: "provider" }, id);
    return rightOfRule({ tokens: database.store.tokens, directory, clock: clock.read }, found!);
  };
  expect(await right()).toMatchObject({ scope: { keys: ["project/region-1/p-south"] } });
  service.words.set("cred", { user: "u-1", grants: [{ ...grant, role: "reader" }] });
  clock.pass(60_000);
  await app.inject({ method: "GET", url: "/api/v1/session", headers });
  await eventually("the right follows", async () => "problem" in (await right()));
  service.words.set("cred", { user: "u-1", grants: [grant] });
  clock.pass(60_000);
  await app.inject({ method: "GET", url: "/api/v1/session", headers });
  await eventually("the right follows", async () => "scope" in (await right()));
  clock.pass(makerConfirmedForMs);
  expect(await right()).toMatchObject({ problem: expect.stringContaining("has not signed in for a week") });
});
