import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx", "test/**/*.test.ts"],
    exclude: ["node_modules/**", "dist/**", "test/e2e/**", "test/broker/**", "test/process/**"],
    globalSetup: ["test/database-server.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
