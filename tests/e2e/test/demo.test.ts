import { describe, expect } from "vitest";
import type { Scene } from "../src/scene";
import { test } from "../src/test";

/** Where the picture of the README goes; it is made only when asked for. */
const { TRUEUP_PICTURE: PICTURE } = process.env;

/** Starts a scene that the page plays by itself; resolves when it has ended. */
async function play(scene: Scene, id: string): Promise<void> {
  await scene.find(`scenario-${id}`).click();
  const button = `[data-testid="scenario-${id}"]`;
  await scene.page.waitForFunction(
    (selector) => !document.querySelector<HTMLButtonElement>(selector)?.disabled,
    button,
  );
}

describe("the page itself", () => {
  test("anyone can watch the naive client go wrong in the played scenes, and never ours", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await play(scene, "overlap");
    await play(scene, "break");
    await play(scene, "fallback");
    const accounting = play(scene, "accounting");
    await scene.find("naive-premium_messages").getByText("the server says").waitFor();
    if (PICTURE) await scene.page.screenshot({ path: PICTURE });
    await accounting;
    await scene.atRest(30_000);
    await scene.watch(90);
    const moments = async (id: string) => Number(await scene.find(id).getAttribute("data-moments"));
    expect(await moments("verdict-ours")).toBe(0);
    expect(await moments("verdict-naive")).toBeGreaterThan(0);
  });
});
