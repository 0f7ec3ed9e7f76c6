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
  test("a meter without a limit is shown by both clients, and counts", async ({ stage }) => {
    const scene = await stage.open({
      before: (backend, account) => backend.limit(account, { premium_messages: null }),
    });
    await scene.send("As many as I like");
    await scene.reply(0, "done");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages).toMatchObject({ limit: null, used: 1 });
    for (const id of ["meter-premium_messages", "naive-premium_messages"]) {
      const text = await scene.find(id).innerText();
      expect(text).toMatch(/unlimited\s+1/);
      expect(text).not.toMatch(/left|\d{4}/);
    }
  });

  test("of a long conversation only what is near its reader is laid out", async ({ stage }) => {
    const scene = await stage.open({ before: (backend, account) => backend.talk(account, 40) });
    const messages = scene.find("message");
    await messages.nth(79).waitFor();
    const isLaidOut = (index: number) =>
      messages
        .nth(index)
        .locator("div")
        .first()
        .evaluate((it) => it.checkVisibility({ contentVisibilityAuto: true }));
    expect(await isLaidOut(79)).toBe(true);
    expect(await isLaidOut(0)).toBe(false);
    const isAtEnd = () =>
      messages.nth(79).evaluate((it) => {
        const bottom = it.closest("section")?.getBoundingClientRect().bottom ?? 0;
        return it.getBoundingClientRect().bottom <= bottom;
      });
    expect(await isAtEnd()).toBe(true);
    await messages.nth(0).scrollIntoViewIfNeeded();
    await expect.poll(() => isLaidOut(0)).toBe(true);
  });

  test("a message that is too long is refused alone, and the next one is answered", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("long ".repeat(220_000));
    await scene.reply(0, "failed");
    await scene.send("And a short one?");
    await scene.reply(1, "done");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
  });

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
