import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
} from "playwright-core";
import { test as base, inject } from "vitest";
import { Server, type ServerOptions } from "./house/server";
import type { FrameCount } from "./report/table";
import { Scene, type SceneOptions } from "./scene";
import { judgeScene, type SceneVerdict } from "./verdict";

const PICTURES = fileURLToPath(new URL("../../../test-results", import.meta.url));

export interface OpenOptions extends Partial<SceneOptions> {
  /** What the visitor holds in their hands; a laptop, when nothing is said. */
  readonly device?: BrowserContextOptions;
}

export interface Stage {
  /** Opens the demo as a new visitor, on the shared server unless another is named. */
  open(options?: OpenOptions): Promise<Scene>;
  /** Starts a server of the test's own. */
  serve(options?: ServerOptions): Promise<Server>;
}

/**
 * A test in the browser. Whatever it does, every frame of every page that it has opened is judged
 * at its end.
 */
export const test = base.extend<{ browser: Browser; stage: Stage }>({
  browser: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
    async ({}, use) => {
      const browser = await chromium.connect(inject("browserUrl"));
      await use(browser);
      await browser.close();
    },
    { scope: "worker" },
  ],
  stage: async ({ browser, task }, use) => {
    const contexts: BrowserContext[] = [];
    const scenes: Scene[] = [];
    const servers: Server[] = [];
    await use({
      async open({ device, ...options } = {}) {
        const laptop = { viewport: { width: 1440, height: 900 } };
        const context = await browser.newContext({ ...laptop, ...device });
        contexts.push(context);
        const shared = { url: inject("serverUrl"), recorder: inject("recorder") };
        const scene = await Scene.open(context, { ...shared, ...options });
        scenes.push(scene);
        return scene;
      },
      async serve(options) {
        const server = await Server.start(options);
        servers.push(server);
        return server;
      },
    });
    try {
      if (task.result?.errors?.length) await photograph(task.name, contexts);
      const verdicts: SceneVerdict[] = [];
      for (const scene of scenes) verdicts.push(await judgeScene(scene));
      const sum = (name: keyof FrameCount) => verdicts.reduce((all, one) => all + one[name], 0);
      task.meta.frames = { frames: sum("frames"), ours: sum("ours"), naive: sum("naive") };
      const complaints = verdicts.flatMap((verdict) => verdict.complaints);
      if (complaints.length > 0) throw new Error(complaints.join("\n"));
    } finally {
      for (const context of contexts) await context.close();
      for (const server of servers) await server.stop();
    }
  },
});

/** Keeps what the pages of a failed test looked like. */
async function photograph(name: string, contexts: readonly BrowserContext[]): Promise<void> {
  const file = name.replace(/\W+/g, "-").slice(0, 80);
  for (const [index, page] of contexts.flatMap((context) => context.pages()).entries()) {
    await page.screenshot({ path: join(PICTURES, `${file}-${index}.png`) });
  }
}
