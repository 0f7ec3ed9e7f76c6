import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    typecheck: { include: ["test/**/*.test-d.ts"] },
    // One place that puts back what a test has changed, so that no test can leak into another.
    restoreMocks: true,
    unstubGlobals: true,
  },
});
