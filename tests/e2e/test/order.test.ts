import type { Page, Route } from "playwright-core";
import { describe, expect } from "vitest";
import { test } from "../src/test";

/** Holds back the server's real answer to the next request that fits, until it is let go. */
async function holdBack(
  page: Page,
  path: string,
  fits: (route: Route) => boolean = () => true,
): Promise<{ answered: Promise<void>; letGo: () => Promise<void> }> {
  let announce = () => {};
  let open = () => {};
  const answered = new Promise<void>((resolve) => (announce = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  let taken = false;
  let delivered: Promise<void> = Promise.resolve();
  await page.route(path, async (route) => {
    if (taken || !fits(route)) return route.fallback();
    taken = true;
    const response = await route.fetch();
    announce();
    await opened;
    delivered = route.fulfill({ response });
    return delivered;
  });
  return {
    answered,
    async letGo() {
      open();
      await delivered;
    },
  };
}

/** Only ours asks with an `If-None-Match`. */
const isOurs = (route: Route) => route.request().headers()["if-none-match"] !== undefined;

describe("answers out of order", () => {
  test("an answer about usage that is overtaken by a reply changes nothing", async ({ stage }) => {
    const scene = await stage.open();
    await scene.backend.useElsewhere(scene.account, "gpt-5-mini");
    const late = await holdBack(scene.page, "**/v1/usage?*", isOurs);
    await scene.nextAnswer(async () => {
      await scene.page.evaluate(() => window.__demo.usage.refresh());
      await late.answered;
      await scene.send("Faster than the answer");
      await scene.reply(0, "done");
      expect(await scene.meter("premium_messages")).toMatchObject({ used: 1, settled: 1 });
      await late.letGo();
    });
    const { meters } = await scene.atRest();
    expect(meters).toMatchObject({
      premium_messages: { used: 1 },
      standard_messages: { used: 1 },
    });
    await scene.watch(90);
  });

  test("the reply to the first message comes after the reply to the second", async ({ stage }) => {
    const scene = await stage.open();
    const late = await holdBack(scene.page, "**/v1/chat/completions");
    await scene.send("I am first");
    await scene.send("I am second, and done before you");
    await late.answered;
    await scene.reply(1, "done");
    await late.letGo();
    await scene.reply(0, "done");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(2);
    await scene.watch(90);
  });
});
