import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../../src/model/json.ts";
import { instant } from "../../src/model/instant.ts";
import { decoders } from "../../src/normalise/decode.ts";
import { ingest, type Stages } from "../../src/pipeline/ingest.ts";
import { reattribute } from "../../src/pipeline/reattribute.ts";
import { alertmanager } from "../../src/sources/alertmanager.ts";
import { openstackLogs } from "../../src/sources/openstack-logs.ts";
import { openstackNotifications } from "../../src/sources/openstack-notifications.ts";
import type { RawRecord, Source } from "../../src/sources/source.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { notification, stagesOver } from "../stages.ts";

/** What a tenant can do to be taken for the owner of what is not its own: through the real sources, stages and store. */

const greedy = "a".repeat(32);
const account = "b".repeat(32);
const victim = "c".repeat(32);
const role = "d".repeat(32);
const server = "11111111-2222-4333-8444-555555555555";
const own = "99999999-2222-4333-8444-555555555555";
const controlPlane = "cloud";

let db: TestStore;
let stages: Stages;
beforeAll(async () => {
  db = await openTestStore();
  stages = stagesOver(db.store);
});
afterAll(() => db.close());

async function take(source: Source, records: readonly RawRecord[]): Promise<void> {
  const name = `${source.name}@cloud`;
  await db.store.events.connect({ name, source: source.name, controlPlane, config: {} });
  await ingest(stages, {
    connection: { name, source: source.name, controlPlane },
    source,
    stream: "main",
    records,
  });
  await reattribute(stages);
}

/** Lines of services' logs, each of a request of one account. */
function lines(user: string, ...messages: readonly string[]): readonly RawRecord[] {
  return messages.map((message, number) => ({
    bytes: Buffer.from(
      JSON.stringify({
        ts: `2026-11-21T01:00:${10 + number}.000Z`,
        level: "INFO",
        logger: "nova.osapi_compute.wsgi.server",
        src: "nova/nova-api",
        request_id: `req-00000000-0000-4000-8000-00000000000${number}`,
        user_id: user,
        message,
      }),
    ),
    position: `line ${number}`,
    receivedAt: instant(0),
    meta: {},
  }));
}

function alerts(...labels: readonly Record<string, string>[]): readonly RawRecord[] {
  const body: Json = {
    version: "4",
    groupKey: "g",
    alerts: labels.map((one, number) => ({
      status: "firing",
      labels: { alertname: "Trouble", severity: "warning", ...one },
      annotations: { summary: "trouble" },
      startsAt: "2026-11-21T01:01:00Z",
      fingerprint: `alert-${number}`,
    })),
  };
  return alertmanager.split(
    {
      headers: { "content-type": "application/json" },
      body: Buffer.from(JSON.stringify(body)),
      receivedAt: instant(0),
    },
    decoders,
  );
}

test("who asks for another's things, or calls and addresses its own like theirs, is shown nothing of theirs", async () => {
  await take(
    openstackLogs,
    lines("e".repeat(32), `"PUT /v3/projects/${greedy}/users/${account}/roles/${role} HTTP/1.1" status: 204`),
  );
  // It asks for a server of somebody else's in every way, and for its name.
  await take(
    openstackLogs,
    lines(
      account,
      `GET /v2.1/servers/${server} status: 404`,
      `DELETE /v2.1/servers/${server} status: 403`,
      `POST /v2.1/servers/${server}/action status: 415`,
      `GET /v2.0/ports?device_id=${server} status: 200`,
      `Instance ${server} could not be found.`,
      "GET /v2.1/servers/web-1 status: 404",
    ),
  );
  // Its own port has the address of one of the provider's machines, and its own server another's name.
  await take(openstackNotifications, [
    notification(20, "port.create.end", {
      port: {
        id: own,
        project_id: greedy,
        tenant_id: greedy,
        mac_address: "fa:16:3e:00:00:01",
        fixed_ips: [{ ip_address: "10.0.0.7" }, { ip_address: "203.0.113.7" }],
      },
    }),
    notification(21, "compute.instance.create.end", {
      instance_id: own,
      tenant_id: greedy,
      display_name: "db-1",
    }),
  ]);
  await take(
    alertmanager,
    alerts(
      { server_id: server },
      { instance: "10.0.0.7:9100" },
      { instance: "203.0.113.7:9100" },
      { mac: "fa:16:3e:00:00:01" },
      { vm_name: "web-1" },
      { vm_name: "db-1" },
      { vm_name: "db-1", instance: "10.0.0.7:9100" },
    ),
  );
  const rows = await db.sql<{ subject_id: string; status: string }>(
    "SELECT subject_id, attribution->>'status' AS status FROM isochron.event WHERE connection = $1",
    ["alertmanager@cloud"],
  );
  expect(rows).toHaveLength(7);
  expect(rows.filter(({ status }) => status !== "unresolved")).toEqual([]);
});

test("a call that was refused before anybody looked takes nothing from the account that it names", async () => {
  const path = `/v3/projects/${victim}/users/${account}/roles/${role}`;
  await take(openstackLogs, lines("f".repeat(32), `"PUT ${path} HTTP/1.1" status: 403`, `DELETE ${path}`));
  const roles = await db.sql(
    "SELECT 1 FROM isochron.topology_fact WHERE relation = 'works_in' AND to_id = $1",
    [victim],
  );
  expect(roles).toEqual([]);
});
