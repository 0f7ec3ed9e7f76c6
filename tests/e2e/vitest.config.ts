import { defineConfig } from "vitest/config";
import { FrameTable } from "./src/report/table.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["src/house/globals.ts"],
    reporters: ["verbose", new FrameTable()],
    // Tests wait far more than they work, so more of them run than there are cores.
    maxWorkers: 4,
    // What a test opens it closes: the files of a worker may share their modules and the browser.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
