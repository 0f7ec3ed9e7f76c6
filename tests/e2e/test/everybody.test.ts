import type { BrowserContextOptions, Locator } from "playwright-core";
import { describe, expect } from "vitest";
import { paleTexts } from "../src/page/legible";
import type { Scene } from "../src/scene";
import { test } from "../src/test";

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};
const WIDTH = 390;

/** How wide the page is; a phone makes room for what sticks out, so its window does not tell. */
function width({ page }: Scene): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth);
}

/** Whether the middle of the element is what a finger there would meet. */
function isOnTop(element: Locator): Promise<boolean> {
  return element.evaluate((it) => {
    const { left, top, width, height } = it.getBoundingClientRect();
    const met = document.elementFromPoint(left + width / 2, top + height / 2);
    return it.contains(met);
  });
}

/** Sends messages that leave all kinds of text on the page: a correction, an error, a wrong number. */
async function fillPage(scene: Scene): Promise<void> {
  await scene.fault({ fallback: true });
  await scene.send("Which model answers me today?");
  await scene.correction("fallback");
  await scene.fault({ fallback: false, fail_before_token: true });
  await scene.send("Will anybody answer me now?");
  await scene.reply(1, "failed");
  await scene.find("verdict-naive").and(scene.page.locator(':not([data-moments="0"])')).waitFor();
}

/** Presses Tab until the element has the focus; gives what had it on the way. */
async function tabTo(scene: Scene, testId: string): Promise<string[]> {
  const passed: string[] = [];
  for (let pressed = 0; pressed < 20; pressed += 1) {
    await scene.page.keyboard.press("Tab");
    const { name, outline } = await scene.page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      const { testid } = focused.dataset;
      const label = testid ?? focused.ariaLabel ?? focused.tagName;
      return { name: label, outline: getComputedStyle(focused).outlineStyle };
    });
    expect(outline, `${name} shows that it has the focus`).toBe("solid");
    passed.push(name);
    if (name === testId) return passed;
  }
  throw new Error(`Tab does not lead to ${testId}: ${passed.join(", ")}`);
}

describe("on a phone", () => {
  test("nothing sticks out, and whoever writes has both meters in sight", async ({ stage }) => {
    const scene = await stage.open({ device: PHONE });
    expect(await width(scene)).toBe(WIDTH);
    await scene.send(`A word that is longer than a line: ${"Quota".repeat(30)}`);
    await scene.reply(0, "done");
    await scene.find("message-input").tap();
    for (const id of [
      "message-input",
      "send",
      "meter-premium_messages",
      "naive-premium_messages",
    ]) {
      expect(await isOnTop(scene.find(id)), `${id} is in sight`).toBe(true);
    }
    await scene.find("message-input").fill("Sent with a thumb");
    await scene.find("send").tap();
    await scene.reply(1, "done");
    expect(await scene.meter("premium_messages")).toMatchObject({ used: 2 });
  });

  test("nothing sticks out when everything is said at once", async ({ stage }) => {
    const scene = await stage.open({ device: PHONE });
    await fillPage(scene);
    await scene.find("fault-offline").tap();
    await scene.find("mend").waitFor();
    expect(await width(scene)).toBe(WIDTH);
    await scene.find("mend").tap();
    await scene.page.locator('[data-testid="fault-offline"][aria-checked="false"]').waitFor();
  });
});

describe("by day and by night", () => {
  test.for(["light", "dark"] as const)(
    "every text stands out from what is behind it, in %s colours",
    async (colorScheme, { stage }) => {
      const scene = await stage.open({ device: { colorScheme } });
      await fillPage(scene);
      expect(await scene.page.evaluate(paleTexts, 4.5)).toEqual([]);
      // The measure measures: this grey is too little on either ground.
      const account = scene.find("account");
      await account.evaluate((it) => {
        it.style.color = "#777";
      });
      const pale = await scene.page.evaluate(paleTexts, 4.5);
      expect(pale.map(({ text }) => text)).toEqual([await account.textContent()]);
    },
  );
});

describe("with the keyboard alone", () => {
  test("a message is sent and a fault switched on and off", async ({ stage }) => {
    const scene = await stage.open();
    const { keyboard } = scene.page;
    expect(await tabTo(scene, "message-input")).toEqual([
      "anonymous",
      "new-visitor",
      "theme",
      "model-picker",
      "Conversation",
      "message-input",
    ]);
    await keyboard.type("Written without a mouse");
    await keyboard.press("Enter");
    await scene.reply(0, "done");
    expect(await tabTo(scene, "fault-settle_fails")).toEqual([
      "send-three",
      "send",
      "fault-fallback",
      "fault-settle_fails",
    ]);
    const fault = scene.page.getByRole("switch", { name: "Accounting fails" });
    for (const on of [true, false]) {
      await keyboard.press("Space");
      await expect.poll(() => fault.getAttribute("aria-checked")).toBe(`${on}`);
      const settles = async () => (await scene.backend.faults(scene.account)).settle_fails > 0;
      await expect.poll(settles).toBe(on);
    }
    await keyboard.press("Space");
    await scene.find("mend").focus();
    await keyboard.press("Enter");
    // The button is gone: the focus has somewhere to be.
    await scene.page.locator('[data-testid="fault-fallback"]:focus').waitFor();
    expect(await fault.getAttribute("aria-checked")).toBe("false");
  });
});

describe("to whoever does not see it", () => {
  test("the meters tell their figures, and corrections are read out", async ({ stage }) => {
    const scene = await stage.open();
    const { page } = scene;
    const part = (name: string) => page.getByRole("region", { name, exact: true });
    const meter = (of: string) => part(of).getByRole("meter", { name: "Premium messages" });
    for (const client of ["Trueup", "Naive"]) {
      expect(await meter(client).getAttribute("aria-valuenow")).toBe("20");
      expect(await meter(client).getAttribute("aria-valuemax")).toBe("20");
      expect(await meter(client).getAttribute("aria-valuetext")).toBe("20 of 20 remaining");
    }
    // A live region is only read out when it was there before what it tells.
    const corrections = part("Corrections").getByRole("status");
    expect(await corrections.textContent()).toBe("");
    await scene.send("Counted once");
    await scene.reply(0, "done");
    expect(await meter("Trueup").getAttribute("aria-valuetext")).toBe(
      "19 of 20 remaining, 1 settled",
    );
    await scene.fault({ fallback: true });
    await scene.send("Which model answers me today?");
    await scene.reply(1, "done");
    await corrections.getByText("your premium message was returned").waitFor();
    await page.getByRole("status").getByText("gpt-5-mini answered").waitFor();
    await page.getByRole("img", { name: "Remaining now: truth 19, Trueup 19" }).waitFor();
    await part("Chat").getByRole("textbox", { name: "Message" }).waitFor();
    await part("Break something").getByRole("switch", { name: "Offline" }).waitFor();
  });
});
