import { randomBytes } from "node:crypto";
import { describe, expect, inject } from "vitest";
import { Backend } from "../src/house/backend";
import { test } from "../src/test";

describe("refusal before the stream", () => {
  test("a message over the limit is answered with 402, and no provider is called", async ({
    stage,
  }) => {
    // The provider is a gateway too, so its ledger tells how often it was called.
    const upstream = { url: inject("serverUrl"), account: `up_${randomBytes(6).toString("hex")}` };
    const { url } = await stage.serve({ upstream });
    const scene = await stage.open({
      url,
      before: (backend, account) => backend.limit(account, { premium_messages: 1 }),
    });
    const calls = async () => {
      const entries = await new Backend(upstream.url).entries(upstream.account);
      return entries.filter(({ kind }) => kind === "hold").length;
    };
    await scene.send("The last one that fits");
    await scene.reply(0, "done");
    await scene.atRest();
    expect(await calls()).toBe(1);

    const answer = scene.page.waitForResponse((response) => response.url().includes("/v1/chat/"));
    await scene.send("One too many");
    expect((await answer).status()).toBe(402);
    await scene.reply(1, "refused");
    // What the user reads of it. The browser keeps the body of a reply for its debugger only while
    // it has room, so the screen is asked.
    const sentence = "The limit of premium_messages is reached: 0 left, 1 asked for.";
    await scene.page.getByText(sentence).first().waitFor();
    const { meters } = await scene.atRest();
    expect(meters.premium_messages).toMatchObject({ used: 1, held: 0 });
    expect(await calls(), "calls of the provider").toBe(1);
    expect((await scene.backend.messages(scene.account)).map(({ role }) => role)).toEqual([
      "user",
      "assistant",
    ]);
    await scene.watch(90);
  });

  test("a limit that was reached elsewhere refuses a message that the page thought to have", async ({
    stage,
  }) => {
    const scene = await stage.open({
      before: (backend, account) => backend.limit(account, { premium_messages: 1 }),
    });
    await scene.backend.useElsewhere(scene.account, "gpt-5");
    await scene.send("Is there still one?");
    await scene.reply(0, "refused");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages).toMatchObject({ used: 1, held: 0 });
    await scene.watch(90);
  });
});
