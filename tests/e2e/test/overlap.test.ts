import { describe, expect } from "vitest";
import { test } from "../src/test";

describe("messages that overlap", () => {
  test("two in flight are counted from their begin to their end, each by itself", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("What is an estimate?");
    await scene.send("And what is an actual?");
    await scene.reply(0, "done");
    await scene.reply(1, "done");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(2);
    await scene.watch(90);
    expect(await scene.steps()).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
  });

  test("a message that is sent within a second of the reply before it is not forgotten", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("The first one");
    await scene.reply(0, "streaming");
    await scene.sendWhenDone(0, "The second one, at once");
    await scene.reply(1, "done");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(2);
    await scene.watch(90);
    expect(await scene.steps()).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
  });

  test("three at once with room for two: two are answered, one is refused, none is in doubt", async ({
    stage,
  }) => {
    const scene = await stage.open({
      before: (backend, account) => backend.limit(account, { premium_messages: 2 }),
    });
    await scene.sendThree();
    for (const n of [0, 1, 2]) await scene.reply(n, "done", "refused");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages).toMatchObject({ limit: 2, used: 2, held: 0 });
    expect(await scene.page.locator('[data-state="refused"]').count()).toBe(1);
    await scene.watch(90);
  });
});
