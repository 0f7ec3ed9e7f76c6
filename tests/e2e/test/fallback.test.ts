import { describe, expect } from "vitest";
import { test } from "../src/test";

describe("model fallback", () => {
  test("scenario 2: the premium message is returned and a standard one charged, in one visible step", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.fault({ fallback: true });
    await scene.send("Which model answers me today?");
    const reply = await scene.reply(0, "done");
    expect(await reply.textContent()).toContain("gpt-5-mini, in place of gpt-5");
    expect(await scene.correction("fallback")).toContain(
      "Answered by a standard model: your premium message was returned.",
    );
    const { meters } = await scene.atRest();
    expect(meters).toMatchObject({
      premium_messages: { used: 0 },
      standard_messages: { used: 1 },
    });
    // Long enough for the naive client to have overwritten what it has.
    await scene.watch(90);
    expect(await scene.steps()).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
  });

  test("a fallback is told apart from a premium message that is under way beside it", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.fault({ fallback: true });
    await scene.send("Answered by the other model");
    await scene.reply(0, "streaming");
    await scene.fault({ fallback: false });
    await scene.send("Answered by the model that was asked");
    await scene.reply(0, "done");
    await scene.reply(1, "done");
    const { meters } = await scene.atRest();
    expect(meters).toMatchObject({
      premium_messages: { used: 1 },
      standard_messages: { used: 1 },
    });
    await scene.watch(90);
  });
});
