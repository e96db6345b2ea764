import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore } from "../../../test/database.ts";
import { minute } from "../../../test/drafts.ts";
import { Receiver, testRule } from "../../../test/notify-world.ts";
import { projectKey } from "../../model/tenant.ts";
import type { ResolvedAddress } from "../../sources/source.ts";
import { AddressGuard } from "../address-guard.ts";
import { planNext } from "./delivery-plan.ts";
import { paceBurst, Poster, type PosterOptions } from "./message-post.ts";

let receiver: Receiver;
const posters: Poster[] = [];
const live = new AbortController().signal;
let elapsedMs = 0;

beforeEach(async () => {
  elapsedMs = 0;
  receiver = await new Receiver().open();
});
afterEach(async () => {
  for (const poster of posters.splice(0)) await poster.close();
  await receiver.close();
});

function posterOf(
  allowNetworks: readonly string[],
  resolve?: (host: string) => Promise<readonly ResolvedAddress[]>,
  options: Partial<PosterOptions> = {},
): Poster {
  const addresses = new AddressGuard({
    connection: "a rule",
    allowNetworks,
    ...(resolve === undefined ? {} : { resolve }),
  });
  const poster = new Poster({ addresses, nowMs: () => elapsedMs, random: () => 0.5, ...options });
  posters.push(poster);
  return poster;
}
const to = (url: string, lane = "provider") => ({ lane, url, headers: {}, body: "{}" });
const portOf = (url: string): string => new URL(url).port;

describe("where a tenant's message may go", () => {
  test("is nowhere but to public addresses, however they are spelt", async () => {
    const poster = posterOf([]);
    const port = portOf(receiver.url);
    for (const host of [
      "127.0.0.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[64:ff9b::7f00:1]",
      "0x7f000001",
      "2130706433",
      "0177.0.0.1",
      "127.1",
      "0.0.0.0",
      "localhost",
      "localhost.",
      "169.254.169.254",
      "user:pass@127.0.0.1",
    ])
      expect([host, (await poster.post(to(`http://${host}:${port}/`, host), live)).kind]).toEqual([
        host,
        "unanswered",
      ]);
    expect(receiver.received).toEqual([]);
  });

  test("is what its name was checked to mean, even where it means something else a moment later", async () => {
    const meant: ResolvedAddress[] = [{ address: "198.51.100.7", family: 4 }];
    const asked: string[] = [];
    const poster = posterOf(["198.51.100.0/24"], async (host) => {
      asked.push(host);
      return asked.length === 1
        ? [...meant, { address: "127.0.0.1", family: 4 }]
        : [{ address: "127.0.0.1", family: 4 }];
    });
    for (let time = 0; time < 3; time += 1)
      expect((await poster.post(to(`http://rebound.example.org:${portOf(receiver.url)}/`), live)).kind).toBe(
        "unanswered",
      );
    expect(receiver.received).toEqual([]);
  });

  test("says nothing of what names mean inside the house, nor whether they mean anything", async () => {
    const inside = posterOf([], async () => [{ address: "10.1.2.3", family: 4 }], { tellsNames: false });
    const nowhere = posterOf(
      [],
      async () => {
        throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
      },
      { tellsNames: false },
    );
    const url = "https://keystone.internal.example.org/";
    const answers = await Promise.all([inside, nowhere].map((poster) => poster.post(to(url), live)));
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toEqual({
      kind: "unanswered",
      problem: "The name of the target leads to no public address.",
    });
  });
});

describe("a target", () => {
  test("that fails for one does not rest for another, though both send to the same service", async () => {
    const poster = posterOf(["127.0.0.0/8"]);
    receiver.answers.push(500, 500, 500, 500, 500);
    for (let time = 0; time < 5; time += 1) await poster.post(to(receiver.url, "project/x/a"), live);
    expect((await poster.post(to(receiver.url, "project/x/a"), live)).kind).toBe("resting");
    expect(await poster.post(to(receiver.url, "project/x/b"), live)).toMatchObject({ status: 204 });
  });

  test("is sent so many at once, and the rest one after the other, none of which is given up for that", async () => {
    const poster = posterOf(["127.0.0.0/8"]);
    for (let time = 0; time < paceBurst; time += 1)
      expect((await poster.post(to(receiver.url), live)).kind).toBe("answered");
    const answer = await poster.post(to(receiver.url), live);
    expect(answer).toMatchObject({ kind: "resting", retryInMs: 500 });
    const old = { attempts: 0, waitingSince: minute(-10_000) };
    expect(planNext(old, answer, minute(0), () => 0.5)).toMatchObject({ kind: "again", counts: false });
    elapsedMs += 500;
    expect((await poster.post(to(receiver.url), live)).kind).toBe("answered");
  });
});

test("one tenant's messages, however many rules they are of, are in the hands of one worker at a time", async () => {
  const db = await openTestStore();
  const { notifications } = db.store;
  const [a, b] = [projectKey("default", "a"), projectKey("default", "b")];
  const told = { kind: "events", group: "", events: ["e"], more: 0, late: false } as const;
  for (const [name, owner] of [
    ["a1", a],
    ["a2", a],
    ["a3", a],
    ["b1", b],
  ] as const) {
    const rule = testRule(name, receiver.url, { owner });
    await notifications.decide(rule, "0:");
    await notifications.enqueue(rule, told, minute(1));
  }
  const owners: string[] = [];
  const first = await notifications.claim(minute(2), 60_000);
  owners.push(first!.standing.rule.owner);
  for (let worker = 0; worker < 2; worker += 1) {
    const claimed = await notifications.claim(minute(2), 60_000);
    if (claimed !== undefined) owners.push(claimed.standing.rule.owner);
  }
  expect(owners.toSorted()).toEqual([a, b]);
  await notifications.settle(first!, { kind: "sent" }, minute(2));
  expect((await notifications.claim(minute(2), 60_000))?.standing.rule.owner).toBe(
    first!.standing.rule.owner,
  );
  await db.close();
});
