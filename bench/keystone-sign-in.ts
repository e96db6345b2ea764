import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "../src/config.ts";
import { resolveSecret } from "../src/config-secret.ts";
import { createLog } from "../src/log.ts";
import { openIsochron } from "../src/main.ts";
import { instant } from "../src/model/instant.ts";
import { appendEvents, connection, ownedEvent } from "../test/api-world.ts";
import { readOptions } from "../test/command-options.ts";
import { isochronBrowser, type SignedBrowser } from "./keystone/isochron-browser.ts";
import { KeystoneAdmin, type CloudUser } from "./keystone/keystone-admin.ts";

/**
 * Sign-in through a real Keystone, over Isochron's HTTP API: two tenants whose users and projects bear equal names, and a
 * provider's reader. Each must see its own and nothing else, and lose it within a minute of losing the right to it. What
 * is made in Keystone for it is taken away at the end. Exits with 1 when a check fails.
 * Usage: `npm run bench:keystone -- --url URL --admin-password-from env:NAME [--admin USER]`.
 */
const usage = "npm run bench:keystone -- --url URL --admin-password-from env:NAME|file:PATH [--admin USER]";
const controlPlane = "region-1";
const waitMs = 90_000;

interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds?: number;
}
const checks: Check[] = [];

function check(name: string, passed: boolean, seconds?: number): void {
  checks.push({ name, passed, ...(seconds === undefined ? {} : { seconds }) });
}

/** Two tenants with equal names, a provider's reader, and our own user. */
async function makeWorld(admin: KeystoneAdmin) {
  const suffix = randomBytes(3).toString("hex");
  const north = await admin.createDomain(`north-${suffix}`);
  const south = await admin.createDomain(`south-${suffix}`);
  const northProd = await admin.createProject("prod", north);
  const northDev = await admin.createProject("dev", north);
  const southProd = await admin.createProject("prod", south);
  const north1 = await admin.createUser("ann", north);
  const south1 = await admin.createUser("ann", south);
  const shop = await admin.createProject("shop", north);
  const carl = await admin.createUser("carl", north);
  const ops = await admin.createUser("ops", south);
  const service = await admin.createUser("isochron", north);
  await admin.grantOnProject("member", northProd, north1);
  await admin.grantOnProject("reader", northDev, north1);
  await admin.grantOnProject("admin", southProd, south1);
  await admin.grantOnProject("member", shop, carl);
  await admin.grantOnProject("member", northDev, carl);
  await admin.grantOnSystem("reader", ops);
  await admin.grantOnSystem("reader", service);
  return { suffix, north, south, northProd, northDev, southProd, shop, north1, south1, carl, ops, service };
}
type World = Awaited<ReturnType<typeof makeWorld>>;

async function openServer(folder: string, url: string, { service }: World) {
  const file = join(folder, "isochron.yaml");
  const provider = {
    name: "keystone",
    kind: "keystone",
    control_plane: controlPlane,
    auth_url: url,
    plain_http: true,
    service: {
      user: service.name,
      user_domain_id: service.domainId,
      password: `file:${join(folder, "password")}`,
    },
  };
  await writeFile(join(folder, "password"), service.password, { mode: 0o600 });
  await writeFile(file, JSON.stringify({ data: join(folder, "store"), identity_providers: [provider] }));
  const config = loadConfig({ flags: { config: file }, env: {} });
  const log = createLog({ level: "error", format: "json", colour: false });
  const isochron = await openIsochron(config, log, { version: "bench" });
  const api = await isochron.api({});
  return { isochron, api, address: await api.listen({ host: "127.0.0.1", port: 0 }) };
}

/** Three events of each project, with the project's name in the subject. */
async function feed(store: Parameters<typeof appendEvents>[0], world: World): Promise<void> {
  const now = Date.now();
  await store.events.connect({
    name: connection,
    source: "openstack-notifications",
    controlPlane,
    config: {},
  });
  const tenants = [
    ["north-prod", world.north, world.northProd],
    ["north-dev", world.north, world.northDev],
    ["north-shop", world.north, world.shop],
    ["south-prod", world.south, world.southProd],
  ] as const;
  const events = tenants.flatMap(([name, domainId, projectId]) =>
    [1, 2, 3].map((place) =>
      ownedEvent(
        { controlPlane, domainId, projectId },
        { kind: "server", id: `${name}-${place}` },
        `${name}-${place}`,
        instant(now - place * 60_000),
      ),
    ),
  );
  await appendEvents(store, events);
}

const own = (...names: readonly string[]): string =>
  names
    .flatMap((name) => [1, 2, 3].map((place) => `${name}-${place}`))
    .toSorted()
    .join(" ");

async function checkSights(address: string, admin: KeystoneAdmin, world: World): Promise<void> {
  const { north1, south1, ops, northProd } = world;
  const sees = async (name: string, browser: SignedBrowser, expected: string): Promise<void> =>
    check(name, (await browser.subjects()).join(" ") === expected);
  const enter = (user: CloudUser, more: object = {}) => isochronBrowser.withPassword(address, user, more);
  await sees(
    "a tenant sees both its projects in one query",
    await enter(north1),
    own("north-dev", "north-prod"),
  );
  await sees(
    "the user of the same name in another domain sees its own",
    await enter(south1),
    own("south-prod"),
  );
  check("admin on a project is a tenant", (await (await enter(south1)).session())?.kind === "tenant");
  const provider = await enter(ops);
  // Beside them it sees what Isochron tells of itself, such as these sign-ins.
  const seen = new Set(await provider.subjects());
  const everything = own("north-dev", "north-prod", "north-shop", "south-prod").split(" ");
  check(
    "a reader of the system sees all",
    everything.every((id) => seen.has(id)),
  );
  check("a reader of the system is an auditor", (await provider.session())?.kind === "provider");
  const narrow = await enter(north1, { project_id: northProd });
  await sees("a sign-in for one project sees that", narrow, own("north-prod"));
  const scoped = await admin.issue(north1, { project: { id: northProd } });
  await sees(
    "a project's token in X-Auth-Token sees that",
    isochronBrowser.withToken(address, scoped),
    own("north-prod"),
  );
  const credential = await admin.createApplicationCredential(north1, northProd);
  const application = await isochronBrowser.withApplicationCredential(address, credential);
  await sees("an application credential sees its project", application, own("north-prod"));
  const refusals = await Promise.all([
    isochronBrowser.attempt(address, {
      user: north1.name,
      user_domain_id: north1.domainId,
      password: "wrong",
    }),
    isochronBrowser.attempt(address, { user: "nobody", user_domain_id: north1.domainId, password: "wrong" }),
    isochronBrowser.attempt(address, { user: north1.name, user_domain: "nowhere", password: "wrong" }),
    isochronBrowser.attempt(address, { token: "gAAAAnotatoken" }),
  ]);
  const [first] = refusals;
  check(
    "every refusal is the same answer",
    refusals.every((one) => one.status === 401 && one.body === first?.body),
  );
}

/** Seconds until the condition holds; undefined where it does not in time. */
async function secondsUntil(holds: () => Promise<boolean>): Promise<number | undefined> {
  const beganAt = performance.now();
  while (performance.now() - beganAt < waitMs) {
    if (await holds()) return (performance.now() - beganAt) / 1000;
    await sleep(500);
  }
  return undefined;
}

/** From the moment in which Keystone took the right away to the last answer that rested on it. */
const lossMsMax = 60_000;

function checkLoss(name: string, seconds: number | undefined): void {
  check(name, seconds !== undefined && seconds * 1000 < lossMsMax, seconds);
}

/** Each loss in a session of its own, all at the same time. */
async function checkLosses(address: string, admin: KeystoneAdmin, world: World): Promise<void> {
  const { north1, south1, carl, ops, northProd, northDev, shop } = world;
  const token = await admin.issue(north1);
  const scoped = await admin.issue(north1, { project: { id: northProd } });
  const revoked = await isochronBrowser.withKeystoneToken(address, token);
  const [ofSession, ofHeader] = await Promise.all([
    revoked.follow(),
    isochronBrowser.withToken(address, scoped).follow(),
  ]);
  const [losesRole, losesProject, losesSystem, isDisabled] = await Promise.all(
    [north1, carl, ops, south1].map((user) => isochronBrowser.withPassword(address, user)),
  );
  if (!losesRole || !losesProject || !losesSystem || !isDisabled) throw new Error("nobody signed in");
  const streams = [ofSession.isOpen(), ofHeader.isOpen()];
  check("live streams are open before", streams.every(Boolean));
  await admin.revoke(token);
  await admin.revoke(scoped);
  const sessionStream = secondsUntil(async () => !ofSession.isOpen());
  const headerStream = secondsUntil(async () => !ofHeader.isOpen());
  const session = secondsUntil(async () => (await revoked.session()) === undefined);
  // Revoking a role on a project ends tokens of that user for that project, so it comes after the tokens were taken.
  await admin.takeFromProject("reader", northDev, north1);
  const role = secondsUntil(async () => (await losesRole.subjects()).join(" ") === own("north-prod"));
  await admin.disable("user", south1.id);
  const user = secondsUntil(async () => (await isDisabled.session()) === undefined);
  await admin.disable("project", shop);
  const project = secondsUntil(async () => (await losesProject.subjects()).join(" ") === own("north-dev"));
  await admin.takeFromSystem("reader", ops);
  const system = secondsUntil(async () => (await losesSystem.session())?.kind !== "provider");
  checkLoss("an open live stream of a session ends after its token is revoked", await sessionStream);
  checkLoss("an open live stream with X-Auth-Token ends after its token is revoked", await headerStream);
  checkLoss("the session of a revoked token is signed out", await session);
  checkLoss("a role that is taken away takes its project's events with it", await role);
  checkLoss("a disabled user is signed out", await user);
  checkLoss("a reader of the system whose role is taken away is no provider", await system);
  checkLoss("a disabled project's events are gone", await project);
}

function print(): boolean {
  for (const { name, passed, seconds } of checks) {
    const took = seconds === undefined ? "" : `${seconds.toFixed(1)} s`;
    console.log(`${passed ? "passed" : "FAILED"}  ${took.padStart(7)}  ${name}`);
  }
  const failed = checks.filter(({ passed }) => !passed).length;
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

async function main(): Promise<number> {
  const values = readOptions(usage, {
    url: { type: "string" },
    "admin-password-from": { type: "string" },
    admin: { type: "string", default: "admin" },
  });
  const { url, admin: name, "admin-password-from": reference } = values;
  if (url === undefined || reference === undefined) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  const admin = await KeystoneAdmin.signIn(url.replace(/\/+$/, ""), name, resolveSecret(reference));
  const folder = await mkdtemp(join(tmpdir(), "isochron-keystone-"));
  try {
    const world = await makeWorld(admin);
    const { isochron, api, address } = await openServer(folder, url.replace(/\/+$/, ""), world);
    try {
      await feed(isochron.store, world);
      const probes = await isochron.probeIdentityProviders();
      check(
        "doctor's question is answered",
        probes.every(({ problem }) => problem === undefined),
      );
      await checkSights(address, admin, world);
      await checkLosses(address, admin, world);
    } finally {
      await api.close();
      await isochron.close();
    }
  } finally {
    await admin.takeAllAway();
    await rm(folder, { recursive: true, force: true });
  }
  return print() ? 0 : 1;
}

process.exitCode = await main();
