import { describe, expect } from "vitest";
import { savedAndCounted } from "../src/saved";
import { test } from "../src/test";

describe("accounting fails after the message succeeded", () => {
  test("scenario 1: message and usage are absent together, and after the retry there together", async ({
    stage,
  }) => {
    const scene = await stage.open();
    const { backend, account } = scene;
    await scene.fault({ settle_fails: 6 });
    await scene.send("Was this message counted?");
    const left = async () => (await backend.faults(account)).settle_fails;
    await expect.poll(left).toBeLessThan(6);

    expect(await savedAndCounted(scene)).toEqual({ roles: ["user"], used: 0, held: 1 });
    expect(await left(), "the transaction had more failures before it").toBeGreaterThan(0);

    await scene.reply(0, "done");
    await scene.atRest(30_000);
    expect(await left()).toBe(0);
    expect(await savedAndCounted(scene)).toEqual({
      roles: ["user", "assistant"],
      used: 1,
      held: 0,
    });
    expect(await scene.steps()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test("usage tracking reconciliation", async ({ stage }) => {
    const scene = await stage.open();
    await scene.fault({ settle_fails: 1 });
    await scene.send("test message");
    await scene.page.getByText("test message", { exact: true }).waitFor();
    await scene.reply(0, "done");
    const { meters } = await scene.atRest(5_000);
    expect(meters.premium_messages).toMatchObject({ used: 1, held: 0 });
  });
});
