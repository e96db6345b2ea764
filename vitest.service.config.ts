import { defineConfig } from "vitest/config";

/** Tests of whole processes and of the services beside them; `npm test` leaves them out. */
export default defineConfig({
  test: {
    include: ["test/broker/**/*.test.ts", "test/process/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Each file starts processes of its own; side by side they would only wait for each other.
    fileParallelism: false,
  },
});
