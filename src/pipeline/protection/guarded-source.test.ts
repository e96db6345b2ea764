import { expect, test } from "vitest";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Page, PullSource, RawRecord, SourceIo, WebhookSource } from "../../sources/source.ts";
import { guardOver, StillTime } from "../../../test/guard.ts";
import { ByteCredits } from "./byte-credits.ts";
import { guardPull, guardRecall } from "./guarded-source.ts";

const io = {} as SourceIo;
const signal = new AbortController().signal;
const page: Page<null> = { records: [], cursor: null, done: false };

test("a page's bytes are held until the next page is asked for", async () => {
  const credits = new ByteCredits(4000);
  const guard = guardOver(new StillTime(), { credits: credits.account("nova") });
  const fetch = async () => {
    await guard.takeBytes(700, signal);
    return page;
  };
  const source = guardPull({ fetch } as unknown as PullSource, guard);
  for (let count = 0; count < 3; count++) {
    await source.fetch({}, null, io);
    expect(credits.heldBytes).toBe(700);
  }
});

test("after a refusal of our credentials the source itself is not asked again at once", async () => {
  let asked = 0;
  const fetch = () => {
    asked += 1;
    return Promise.reject(new IsochronError("source-denied", "It answered 401.", "Renew them."));
  };
  const time = new StillTime();
  const source = guardPull({ fetch } as unknown as PullSource, guardOver(time));
  for (let count = 0; count < 3; count++) {
    await expect(source.fetch({}, null, io)).rejects.toMatchObject({ code: "source-denied" });
  }
  expect(asked).toBe(1);
  time.ms += 60_000;
  await expect(source.fetch({}, null, io)).rejects.toThrow("It answered 401.");
  expect(asked).toBe(2);
});

test("what a sender is asked for again is guarded page by page, and let go in the end", async () => {
  const credits = new ByteCredits(4000);
  const guard = guardOver(new StillTime(), { credits: credits.account("nova") });
  async function* recall(): AsyncGenerator<readonly RawRecord[]> {
    for (let count = 0; count < 3; count++) {
      await guard.takeBytes(900, signal);
      yield [];
    }
  }
  const source = guardRecall({ recall } as unknown as WebhookSource, guard);
  const span = { from: instant(0), to: instant(1) };
  let pages = 0;
  for await (const records of source.recall!({}, span, io)!) {
    expect([records.length, credits.heldBytes]).toEqual([0, 900]);
    pages += 1;
  }
  expect([pages, credits.heldBytes]).toEqual([3, 0]);
  for await (const records of source.recall!({}, span, io)!) if (records.length === 0) break;
  expect(credits.heldBytes).toBe(0);
});
