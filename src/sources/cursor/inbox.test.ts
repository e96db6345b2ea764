import { expect, test } from "vitest";
import { recallPages } from "./inbox.ts";

async function count(pages: AsyncIterable<readonly unknown[]>): Promise<number> {
  let seen = 0;
  for await (const _page of pages) seen += 1;
  return seen;
}

test("pages are asked for until there is none after", async () => {
  const asked: number[] = [];
  const read = (place: number) => {
    asked.push(place);
    return Promise.resolve({ records: [], ...(place < 3 && { next: place + 1 }) });
  };
  expect(await count(recallPages(1, read, 3))).toBe(3);
  expect(asked).toEqual([1, 2, 3]);
});

test("an API that does not come to an end is given up as malformed", async () => {
  const read = (place: number) => Promise.resolve({ records: [], next: place });
  await expect(count(recallPages(1, read, 3))).rejects.toMatchObject({ code: "source-malformed" });
});
