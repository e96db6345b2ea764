import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccountRow } from "./written-account.ts";
import { rankBefore, readAccountRows } from "./written-account.ts";

/** For each symptom's row: the row that it goes back to, among the rows that tell of changes before it. */
type Answers = readonly (readonly [symptom: number, root: number, changes: readonly number[]])[];

async function expectRoots(rows: readonly AccountRow[], answers: Answers): Promise<void> {
  const events = await readAccountRows(rows);
  for (const [symptom, root, changes] of answers) {
    const first = rankBefore(events, symptom)
      .map(({ event }) => events.indexOf(event) + 1)
      .find((row) => changes.includes(row));
    expect([symptom, first]).toEqual([symptom, root]);
  }
}

describe("made-up accounts, each read by the source and ranked by words and times alone", () => {
  test("a second change opens a second impact, when the first is over", () =>
    expectRoots(
      [
        ["08:55", "Search", "Reindex of the product catalogue begins on the search nodes."],
        ["09:30", "Checkout", "Release 4.18 of the checkout service is deployed to all regions."],
        ["09:41", "Checkout", "Error rate on checkout climbs to 12 %, mostly HTTP 500."],
        ["09:48", "Payments", "Payment provider sees duplicate attempts coming from checkout."],
        ["09:55", "Checkout", "On-call engineer rolls back checkout to 4.17."],
        ["10:05", "Checkout", "Error rate is back to normal."],
        ["11:10", "Network", "Network team applies a new firewall policy on the edge routers."],
        ["11:14", "VPN", "Staff report that VPN sessions drop every few minutes."],
        ["11:20", "Warehouse", "Handheld scanners cannot reach the stock API."],
        ["11:32", "Warehouse", "Scanner gateways are restarted, without effect."],
        ["11:40", "VPN", "VPN sessions still drop."],
      ],
      [
        [3, 2, [1, 2]],
        [4, 2, [1, 2]],
        [8, 7, [1, 2, 5, 7]],
        [9, 7, [1, 2, 5, 7]],
        [11, 7, [1, 2, 5, 7, 10]],
      ],
    ));

  test("a second change opens a second impact while the first is still open", () =>
    expectRoots(
      [
        ["02:00", "Storage", "Firmware upgrade of the disk shelves starts, one controller after the other."],
        ["02:20", "Storage", "Write latency on the block pools rises above 200 ms."],
        [
          "02:25",
          "Databases",
          "Managed databases report slow commits; their volumes live on the block pools.",
        ],
        ["02:40", "Storage", "Upgrade is paused."],
        ["02:50", "Databases", "Two database clusters fail over repeatedly."],
        ["03:05", "Databases", "Replicas are restarted one at a time to spare the pools."],
        ["03:30", "Identity", "A renewed certificate is installed on the login servers."],
        ["03:33", "Identity", "Users cannot log in: the certificate chain is rejected by browsers."],
        ["03:36", "Console", "The web console shows a blank page after login."],
        ["03:50", "Databases", "Commits are still slow on most clusters."],
      ],
      [
        [3, 1, [1]],
        [5, 1, [1, 4]],
        [8, 7, [1, 4, 6, 7]],
        [9, 7, [1, 4, 6, 7]],
        [10, 1, [1, 4, 6, 7]],
      ],
    ));

  test("the root is not the first change, and the last one is an attempt to help", () =>
    expectRoots(
      [
        ["13:00", "Frontal", "Nouvelle version du portail client déployée."],
        ["13:10", "Billing", "Invoice run of the month starts."],
        ["13:45", "DNS", "Zone transfer configuration changed on both resolvers."],
        ["13:52", "DNS", "Resolvers answer SERVFAIL for internal names."],
        ["13:55", "Object storage", "S3 gateways return errors: they cannot resolve the backends."],
        ["14:00", "Registry", "Image pulls time out."],
        ["14:05", "DNS", "Resolver caches are flushed."],
        ["14:10", "Compute", "New instances fail to boot because image pulls hang."],
        ["14:20", "Registry", "Registry pods restarted."],
        ["14:30", "DNS", "The zone transfer change is undone."],
        ["14:35", "DNS", "Names resolve again."],
        ["14:45", "Registry", "Image pulls work again."],
        ["15:30", "Billing", "A price table is replaced by the finance team."],
        ["15:42", "Billing", "Customers complain about wrong invoices."],
      ],
      [
        [4, 3, [1, 2, 3]],
        [6, 3, [1, 2, 3]],
        [8, 3, [1, 2, 3, 7]],
        [14, 13, [1, 2, 3, 7, 9, 10, 13]],
      ],
    ));

  test("an attempt to help opens an impact of its own", () =>
    expectRoots(
      [
        ["20:00", "Queue", "Consumers upgraded to client 9."],
        ["20:06", "Queue", "Messages pile up; consumers disconnect in a loop."],
        ["20:20", "Queue", "Operators restart the consumers."],
        ["20:30", "Mail", "Outgoing mail is delayed by the queue."],
        ["20:45", "Load balancer", "Traffic is moved to the standby site to relieve the queue."],
        ["20:47", "Load balancer", "Standby site answers with 503, its pool has no members."],
        ["20:52", "Website", "Home page is down for most visitors."],
        ["21:00", "Queue", "Backlog is still growing."],
      ],
      [
        [4, 1, [1, 3]],
        [6, 5, [1, 3, 5]],
        [7, 5, [1, 3, 5]],
        [8, 1, [1, 3, 5]],
      ],
    ));

  test("a mistake on what already ails is no attempt to help", () =>
    expectRoots(
      [
        ["17:20", "Staging", "An engineer takes a copy of the production database for staging."],
        ["19:00", "Database", "Load rises because of spam; some pages time out."],
        ["21:00", "Database", "Accounts that spam are blocked and removed."],
        ["22:00", "Replication", "The secondary lags behind and stops replicating."],
        ["22:30", "Replication", "The secondary's data folder is wiped and a new copy is begun."],
        ["22:50", "Replication", "The copy hangs without a message."],
        ["23:00", "Replication", "The sender limit is raised and the database restarted."],
        ["23:27", "Database", "An engineer deletes the data folder on the wrong server, the primary."],
        ["23:30", "Website", "The site is down; requests return 500."],
      ],
      [[9, 8, [1, 3, 5, 7, 8]]],
    ));
});

const components = ["Alpha", "Bravo", "Carmine", "Delta", "Ember"] as const;

describe("accounts made by chance", () => {
  const world = fc.record({
    order: fc.shuffledSubarray([...components], { minLength: 4 }),
    firstGap: fc.integer({ min: 1, max: 12 }),
    spread: fc.integer({ min: 5, max: 30 }),
    pause: fc.integer({ min: 30, max: 150 }),
    secondGap: fc.integer({ min: 1, max: 8 }),
  });

  test("what broke a component that was well is found, whichever change came first", () =>
    fc.assert(
      fc.asyncProperty(world, async ({ order, firstGap, spread, pause, secondGap }) => {
        const [a = "", b = "", c = "", d = ""] = order;
        let minute = 60;
        const at = (later: number) => {
          minute += later;
          return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
        };
        const rows: AccountRow[] = [
          [at(0), d, "A small release is deployed."],
          [at(40), a, "The upgrade to the next version starts."],
          [at(firstGap), a, "Requests time out."],
          [at(spread), b, `Errors, since ${a} does not answer.`],
          [at(5), a, "All nodes are restarted."],
          [at(pause), c, "A new configuration is applied."],
          [at(secondGap), c, "Everything returns errors."],
          [at(3), b, `Jobs are still stuck behind ${a}.`],
        ];
        await expectRoots(rows, [
          [3, 2, [1, 2]],
          [4, 2, [1, 2]],
          [7, 6, [1, 2, 5, 6]],
          [8, 2, [1, 2, 5, 6]],
        ]);
      }),
      { numRuns: 60 },
    ));
});
