import fc from "fast-check";
import { totalmem } from "node:os";
import { expect, test } from "vitest";
import { memorySettings, usableMemory } from "./embedded-memory.ts";

const gibibyte = 2 ** 30;

test.each([
  [0.5, 128, 256],
  [1, 128, 512],
  [8, 1_024, 4_096],
  [16, 2_048, 8_192],
  [512, 2_048, 262_144],
])("of %d GiB the server keeps %d MB and counts on %d MB", (memory, own, cached) => {
  expect(memorySettings(memory * gibibyte)).toEqual([
    `shared_buffers=${own}MB`,
    `effective_cache_size=${cached}MB`,
    "random_page_cost=1.1",
  ]);
});

test("a server never keeps more than an eighth of a machine that has a gigabyte", () => {
  fc.assert(
    fc.property(fc.integer({ min: gibibyte, max: 4_096 * gibibyte }), (bytes) => {
      const [own = ""] = memorySettings(bytes);
      const megabytes = Number(/^shared_buffers=(\d+)MB$/.exec(own)?.[1]);
      expect(megabytes).toBeGreaterThanOrEqual(128);
      expect(megabytes * 2 ** 20).toBeLessThanOrEqual(bytes / 8 + 2 ** 20);
    }),
  );
});

test("no more memory is counted on than the machine has", () => {
  expect(usableMemory()).toBeGreaterThan(0);
  expect(usableMemory()).toBeLessThanOrEqual(totalmem());
});
