import { describe, expect } from "vitest";
import { test } from "../src/test";

describe("backend failure", () => {
  test("a server that is killed in the middle of a reply comes back, and the page heals", async ({
    stage,
  }) => {
    const server = await stage.serve({ settings: { HOLD_TTL_S: "3" } });
    const scene = await stage.open({ url: server.url });
    await scene.send("Before the crash");
    await scene.reply(0, "done");
    await scene.send("In the middle of the crash");
    await scene.reply(1, "streaming");
    await server.kill();
    await scene.reply(1, "failed");
    expect(await scene.meter("premium_messages")).toMatchObject({ used: 2 });
    await server.restart();
    await scene.correction("hold_expired");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
    const saved = await scene.backend.messages(scene.account);
    expect(saved.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    await scene.send("After the crash");
    await scene.reply(2, "done");
    await scene.atRest();
    await scene.watch(90);
  }, 90_000);
});
