import { describe, expect } from "vitest";
import type { Scene } from "../src/scene";
import { test } from "../src/test";

async function kinds({ backend, account }: Scene): Promise<readonly string[]> {
  const entries = await backend.entries(account);
  return entries.filter(({ operation }) => operation !== null).map(({ kind }) => kind);
}

describe("the network breaks", () => {
  test("a message that never left is fenced and costs nothing", async ({ stage }) => {
    const scene = await stage.open();
    await scene.context.setOffline(true);
    await scene.send("Can you hear me?");
    await scene.reply(0, "failed");
    expect(await scene.meter("premium_messages")).toMatchObject({ used: 1, pending: 1 });
    await scene.context.setOffline(false);
    await scene.correction("never_arrived");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(0);
    expect(await kinds(scene)).toEqual(["fence"]);
    await scene.watch(90);
  });

  test("send, cut, restore: a reply that breaks off in the middle is charged once", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("This will be cut");
    await scene.reply(0, "streaming");
    await scene.fault({ offline: true });
    await scene.context.setOffline(true);
    await scene.reply(0, "failed");
    await expect.poll(() => kinds(scene)).toEqual(["hold", "settle"]);
    expect(await scene.meter("premium_messages")).toMatchObject({ used: 1 });
    await scene.fault({ offline: false });
    await scene.context.setOffline(false);
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
    await scene.watch(90);
  });

  test("a line that is dead for a while, and says nothing about it, is asked again until it lives", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.fault({ offline: true });
    await scene.send("Is this thing on?");
    await scene.reply(0, "failed");
    await scene.find("view-status").and(scene.page.locator('[data-status="offline"]')).waitFor();
    await scene.fault({ offline: false });
    await scene.find("view-status").and(scene.page.locator('[data-status="live"]')).waitFor();
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(0);
    await scene.watch(90);
  });

  test("a reply whose last chunk is lost is charged, and the page finds that out by itself", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.fault({ lose_reply: true });
    await scene.send("The end will be missing");
    await scene.reply(0, "failed");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
    expect(await kinds(scene)).toEqual(["hold", "settle"]);
    await scene.watch(90);
  });

  test("a page that is reloaded in the middle of a reply shows the message from its first figure on", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("I will be back");
    await scene.reply(0, "streaming");
    await scene.page.reload();
    await scene.isShown();
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
    await scene.watch(90);
    expect(await scene.steps()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});
