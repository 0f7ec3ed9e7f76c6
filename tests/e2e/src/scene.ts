import { randomBytes } from "node:crypto";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { listenToChats } from "./chatNews";
import { Backend, type FaultSet, type ServerUsage } from "./house/backend";
import type { News } from "./oracle/claims";
import type { PageRecord } from "./record";

/** What the browser writes to its console about calls that a test has made fail. */
const LINE_BROKE = /Failed to load resource|net::ERR_/;

export type Model = "gpt-5" | "gpt-5-mini";

/** Figures that the page shows of a meter of ours. */
export interface MeterData {
  readonly limit: number | null;
  readonly used: number;
  readonly settled: number;
  readonly held: number;
  readonly pending: number;
  readonly remaining: number | null;
}

export type Meter = "premium_messages" | "standard_messages";
export const METERS: readonly Meter[] = ["premium_messages", "standard_messages"];

export interface SceneOptions {
  readonly url: string;
  /** The script that records inside the page. */
  readonly recorder: string;
  /** Does what has to be there before the page opens. */
  readonly before?: (backend: Backend, account: string) => Promise<void>;
  /** The server pushes nothing: news come by asking alone. */
  readonly mute?: boolean;
  /** The page's clock can be moved on. Its moments are then no longer those of the server. */
  readonly clock?: boolean;
}

/** One visitor in front of the demo: what a test does, sees, and asks of the server. */
export class Scene {
  readonly account = `e2e_${randomBytes(6).toString("hex")}`;
  readonly backend: Backend;
  readonly complaints: string[] = [];
  /** What replies to chats have told the page so far. */
  readonly chatNews: () => Promise<readonly News[]>;
  /** The account's version when the page was opened. */
  startVersion = 0;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    url: string,
  ) {
    this.backend = new Backend(url);
    page.on("pageerror", (error) => this.complaints.push(`${error.stack ?? error}`));
    page.on("console", (message) => {
      const isComplaint = message.type() === "error" && !LINE_BROKE.test(message.text());
      if (isComplaint) this.complaints.push(message.text());
    });
    this.chatNews = listenToChats(page);
  }

  static async open(
    context: BrowserContext,
    { url, recorder, before, clock, mute }: SceneOptions,
  ): Promise<Scene> {
    await context.addInitScript({ content: recorder });
    const scene = new Scene(context, await context.newPage(), url);
    if (clock) await scene.page.clock.install();
    if (mute) await scene.page.route(/usage\/events/, (route) => route.fulfill({ status: 404 }));
    await before?.(scene.backend, scene.account);
    scene.startVersion = (await scene.backend.entries(scene.account)).at(-1)?.version ?? 0;
    await scene.page.goto(`${url}/?account=${scene.account}`);
    await scene.isShown().catch(async (error: Error) => {
      const said = await scene.page.locator("body").innerText();
      throw new Error([error.message, ...scene.complaints, said].join("\n"));
    });
    return scene;
  }

  /** Waits until both clients show figures. */
  async isShown(): Promise<void> {
    await this.find("meter-premium_messages").waitFor();
    await this.find("naive-premium_messages").waitFor();
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Sends a message; its reply is number `n` of the replies, from 0. */
  async send(text: string, model: Model = "gpt-5"): Promise<void> {
    await this.find("model-picker").selectOption(model);
    await this.find("message-input").fill(text);
    await this.find("send").click();
  }

  /** Writes a message, and has the page itself send it in the frame in which a reply is done. */
  async sendWhenDone(n: number, text: string): Promise<void> {
    await this.find("message-input").fill(text);
    await this.page.evaluate(
      (index) =>
        new Promise<void>((resolve) => {
          const replies = '[data-testid="message"][data-role="assistant"]';
          const look = () => {
            const reply = document.querySelectorAll<HTMLElement>(replies)[index];
            if (reply?.dataset.state !== "done") return requestAnimationFrame(look);
            document.querySelector<HTMLElement>('[data-testid="send"]')?.click();
            return resolve();
          };
          look();
        }),
      n,
    );
  }

  async sendThree(): Promise<void> {
    await this.find("send-three").click();
  }

  async stop(): Promise<void> {
    await this.find("stop").click();
  }

  fault(faults: Partial<FaultSet>): Promise<void> {
    return this.backend.fault(this.account, faults);
  }

  /** Waits until reply number `n` is in one of the states. */
  async reply(n: number, ...states: readonly string[]): Promise<Locator> {
    const reply = this.find("message").and(this.page.locator('[data-role="assistant"]')).nth(n);
    const wanted = states.map((state) => `[data-state="${state}"]`).join(", ");
    await reply.and(this.page.locator(wanted)).waitFor();
    return reply;
  }

  /** Waits for the correction that names this cause. */
  async correction(cause: string): Promise<string> {
    const toast = this.page.locator(`[data-testid="toast"][data-cause="${cause}"]`).first();
    await toast.waitFor();
    return (await toast.textContent()) ?? "";
  }

  /** What the page shows of a meter. */
  async meter(meter: Meter): Promise<MeterData> {
    const data = await this.find(`meter-${meter}`).evaluate((element) => ({ ...element.dataset }));
    const number = (name: keyof MeterData) => Number(data[name]);
    return {
      limit: data.limit === undefined ? null : number("limit"),
      used: number("used"),
      settled: number("settled"),
      held: number("held"),
      pending: number("pending"),
      remaining: data.remaining === undefined ? null : number("remaining"),
    };
  }

  /** Waits until no operation is open any more, and the page is live; what is shown is what the server says. */
  async atRest(timeout = 15_000): Promise<ServerUsage> {
    await this.page.waitForFunction(
      (testIds) => {
        const isRunning = document.querySelector(
          '[data-testid="message"]:is([data-state="waiting"], [data-state="streaming"])',
        );
        const meters = testIds.map((id) => document.querySelector<HTMLElement>(id)?.dataset);
        const status = document.querySelector<HTMLElement>('[data-testid="view-status"]');
        const isLive = status?.dataset.status === "live";
        return !isRunning && isLive && meters.every((it) => it?.held === "0" && it.pending === "0");
      },
      METERS.map((meter) => `[data-testid="meter-${meter}"]`),
      { timeout },
    );
    const usage = await this.backend.usage(this.account);
    for (const meter of METERS) {
      const { limit, used, held } = usage.meters[meter] ?? { limit: 0, used: 0, held: 0 };
      const remaining = limit === null ? null : Math.max(0, limit - used - held);
      const shown = await this.meter(meter);
      expect(shown, meter).toEqual({ limit, used, settled: used, held, pending: 0, remaining });
    }
    return usage;
  }

  /** Waits until ours has asked the server by itself and was answered. */
  async nextAnswer(act: () => Promise<void> = async () => undefined): Promise<void> {
    const before = await this.page.evaluate(() => window.__record.answered("ours"));
    await act();
    await this.page.waitForFunction((count) => window.__record.answered("ours") > count, before, {
      timeout: 40_000,
    });
  }

  /** What ours has shown of both meters, one after the other: [premium used, standard used]. */
  async steps(): Promise<readonly (readonly [number, number])[]> {
    const { frames } = await this.record();
    const shown = frames.flatMap(({ account, ours }) => {
      const { premium_messages: premium, standard_messages: standard } = ours;
      const isOwn = account === this.account && premium && standard;
      return isOwn ? [[premium.used, standard.used] as const] : [];
    });
    return shown.filter(
      ([premium, standard], index) =>
        premium !== shown[index - 1]?.[0] || standard !== shown[index - 1]?.[1],
    );
  }

  /** Lets the screen draw so many more frames, in which it must stay right. */
  async watch(frames: number): Promise<void> {
    await this.page.evaluate(
      (count) =>
        new Promise<void>((resolve) => {
          const next = (left: number) =>
            left === 0 ? resolve() : requestAnimationFrame(() => next(left - 1));
          next(count);
        }),
      frames,
    );
  }

  record(): Promise<PageRecord> {
    return this.page.evaluate(() => window.__record.read());
  }
}
