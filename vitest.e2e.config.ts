import { defineConfig } from "vitest/config";

/** The browser tests: the built pages, a real demo server, a real Chromium. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/e2e/demo-server.ts"],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // One browser at a time: the tests share one demo server.
    fileParallelism: false,
  },
});
