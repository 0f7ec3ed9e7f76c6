import { randomBytes } from "node:crypto";
import { describe, expect, inject } from "vitest";
import { Backend } from "../src/house/backend";
import type { Scene } from "../src/scene";
import { test } from "../src/test";

async function roles({ backend, account }: Scene): Promise<readonly string[]> {
  return (await backend.messages(account)).map(({ role }) => role);
}

async function endings({ backend, account }: Scene): Promise<readonly string[]> {
  const entries = await backend.entries(account);
  const own = entries.filter(({ operation }) => operation !== null);
  return own.map(({ kind, cause }) => `${kind} ${cause}`);
}

describe("a reply that does not end well", () => {
  test("a provider that fails before its first token costs nothing", async ({ stage }) => {
    const scene = await stage.open();
    await scene.fault({ fail_before_token: true });
    await scene.send("Is anybody there?");
    await scene.reply(0, "failed");
    await scene.correction("provider_failed");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(0);
    expect(meters.standard_messages?.used).toBe(0);
    expect(await roles(scene)).toEqual(["user"]);
    await scene.watch(90);
  });

  test("a provider that fails after its first token costs nothing", async ({ stage }) => {
    const scene = await stage.open();
    await scene.fault({ fail_after_token: true });
    await scene.send("Tell me everything.");
    await scene.reply(0, "failed");
    await scene.correction("provider_failed");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(0);
    expect(await roles(scene)).toEqual(["user"]);
    await scene.watch(90);
  });

  test("a reply that the user stops after its first token is charged, and kept as far as it came", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("I will stop you.");
    await scene.reply(0, "streaming");
    await scene.stop();
    await scene.reply(0, "stopped");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
    expect(await endings(scene)).toEqual(["hold admitted", "settle aborted"]);
    expect(await roles(scene)).toEqual(["user", "assistant"]);
    await scene.watch(90);
  });

  test("a reply that the user stops before its first token costs nothing", async ({ stage }) => {
    // A second gateway is the provider here, because it can be told to take its time.
    const upstream = { url: inject("serverUrl"), account: `up_${randomBytes(6).toString("hex")}` };
    await new Backend(upstream.url).fault(upstream.account, { slow_ms: 20_000 });
    const { url } = await stage.serve({ upstream });
    const scene = await stage.open({ url });
    await scene.send("I will not even wait.");
    const held = async () => (await scene.backend.usage(scene.account)).meters.premium_messages;
    await expect.poll(held).toMatchObject({ held: 1 });
    await scene.stop();
    await scene.reply(0, "stopped");
    await scene.correction("aborted");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(0);
    expect(await endings(scene)).toEqual(["hold admitted", "release aborted"]);
    expect(await roles(scene)).toEqual(["user"]);
    await scene.watch(90);
  });
});
