import { describe, expect } from "vitest";
import { savedAndCounted } from "../src/saved";
import { test } from "../src/test";

// Two of them wait for the check that comes every 30 seconds.
describe.concurrent("the background check", () => {
  test("scenario 3: at no moment is one there without the other, and the background check finds nothing to mend", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.fault({ settle_fails: 3 });
    await scene.send("Is this saved by halves?");
    for (let settled = false; !settled; ) {
      const { roles, used, held } = await savedAndCounted(scene);
      expect(roles.includes("assistant")).toBe(used === 1);
      expect((used ?? 0) + (held ?? 0)).toBeLessThanOrEqual(1);
      settled = used === 1;
    }
    await scene.reply(0, "done");
    await scene.atRest();
    await scene.nextAnswer();
    await scene.atRest();
    expect(await scene.find("toast").count()).toBe(0);
    expect(await scene.steps()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  }, 90_000);

  test("a check that finds nothing new is answered with nothing, and the page stays live", async ({
    stage,
  }) => {
    const scene = await stage.open();
    await scene.send("Counted with the reply");
    await scene.reply(0, "done");
    await scene.atRest();
    const before = (await scene.record()).answers.length;
    const refresh = () => scene.page.evaluate(() => window.__demo.usage.refresh());
    for (let checks = 0; checks < 4; checks += 1) await scene.nextAnswer(refresh);
    const answers = (await scene.record()).answers.slice(before);
    const ours = answers.filter(({ client }) => client === "ours");
    // Figures that came with a reply have no tag until they are asked for.
    expect(ours.map(({ status }) => status)).toEqual([200, 304, 304, 304]);
    expect(await scene.find("view-status").getAttribute("data-status")).toBe("live");
    await scene.atRest();
  });

  test("what somebody else of the account has used is pushed, and nobody has to ask", async ({
    stage,
  }) => {
    const scene = await stage.open();
    const answered = () => scene.page.evaluate(() => window.__record.answered("ours"));
    const before = await answered();
    await scene.backend.useElsewhere(scene.account, "gpt-5");
    expect(await scene.correction("other_device")).toContain("1 premium message");
    expect(await answered()).toBe(before);
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
  });

  test("the background check brings what somebody else of the account has used", async ({
    stage,
  }) => {
    const scene = await stage.open({ mute: true });
    await scene.backend.useElsewhere(scene.account, "gpt-5");
    await scene.nextAnswer();
    expect(await scene.correction("other_device")).toContain("1 premium message");
    const { meters } = await scene.atRest();
    expect(meters.premium_messages?.used).toBe(1);
  }, 90_000);
});
