import { describe, expect } from "vitest";
import type { Scene } from "../src/scene";
import { test } from "../src/test";

/** Every call of the API that the page makes from now on. */
function apiCalls({ page }: Scene): readonly string[] {
  const calls: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/v1/")) calls.push(pathname);
  });
  return calls;
}

describe("visitors", () => {
  test("an anonymous visitor is counted in the page alone: nothing is tracked, nothing is polled", async ({
    stage,
  }) => {
    const scene = await stage.open({ clock: true });
    const signedIn = apiCalls(scene);
    await scene.page.clock.fastForward(60_000);
    await expect.poll(() => signedIn).toContain("/v1/usage");

    await scene.find("anonymous").click();
    await scene.page.reload();
    await scene.find("meter-premium_messages").waitFor();
    const calls = apiCalls(scene);
    const versionBefore = (await scene.backend.usage(scene.account)).version;
    for (const n of [0, 1, 2]) {
      await scene.send("Who counts this?");
      await scene.reply(n, "done");
      expect(await scene.meter("premium_messages")).toMatchObject({ limit: 3, used: n + 1 });
    }
    await scene.send("One too many");
    await scene.reply(3, "refused");
    await scene.page.clock.fastForward(120_000);
    await scene.watch(90);
    expect(calls).toEqual([]);
    expect((await scene.backend.usage(scene.account)).version).toBe(versionBefore);
  });

  test("two accounts one after the other in one page: nothing crosses", async ({ stage }) => {
    const scene = await stage.open();
    await scene.send("Said by the first");
    await scene.reply(0, "done");
    await scene.send("Still under way when the first leaves");
    await scene.reply(1, "streaming");
    await scene.find("new-visitor").click();
    await scene.page.waitForFunction(
      (first) => document.querySelector('[data-testid="account"]')?.textContent !== first,
      scene.account,
    );
    await scene.isShown();
    const second = (await scene.find("account").textContent()) ?? "";
    expect(await scene.meter("premium_messages")).toMatchObject({ limit: 20, used: 0, pending: 0 });
    await scene.send("Said by the second", "gpt-5-mini");
    await scene.reply(0, "done");
    await scene.watch(90);
    expect(await scene.meter("premium_messages")).toMatchObject({ used: 0 });
    expect(await scene.meter("standard_messages")).toMatchObject({ used: 1 });
    expect((await scene.backend.usage(second)).meters).toMatchObject({
      premium_messages: { used: 0 },
      standard_messages: { used: 1 },
    });

    await scene.page.goto(`${new URL(scene.page.url()).origin}/?account=${scene.account}`);
    await scene.isShown();
    const { meters } = await scene.atRest();
    expect(meters).toMatchObject({
      premium_messages: { used: 2 },
      standard_messages: { used: 0 },
    });
  });

  test("signing out in the middle of a reply, and in again, neither loses nor repeats it", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("I will sign out now");
    await scene.reply(0, "streaming");
    await scene.find("anonymous").click();
    await scene.page.locator('[data-testid="meter-premium_messages"][data-limit="3"]').waitFor();
    expect(await scene.meter("premium_messages")).toMatchObject({ limit: 3, used: 0 });
    await scene.find("anonymous").click();
    await scene.page.locator('[data-testid="meter-premium_messages"][data-limit="20"]').waitFor();
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
    await scene.watch(90);
  });
});
