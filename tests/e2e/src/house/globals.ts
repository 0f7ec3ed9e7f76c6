import { type BrowserServer, chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { bundleRecorder } from "../page/bundle";
import { Server } from "./server";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the server is that all tests share. */
    readonly serverUrl: string;
    /** Where the browser is that all tests share; each has a context of its own. */
    readonly browserUrl: string;
    /** The script that records inside every page. */
    readonly recorder: string;
  }
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
];

/** One server and one browser for the whole run; started before the first test, stopped after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, browser, recorder] = await Promise.all([
    Server.start(),
    launchBrowser(),
    bundleRecorder(),
  ]);
  project.provide("serverUrl", server.url);
  project.provide("browserUrl", browser.wsEndpoint());
  project.provide("recorder", recorder);
  return async () => {
    await browser.close();
    await server.stop();
  };
}

function launchBrowser(): Promise<BrowserServer> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launchServer({ executablePath, headless: true, args: FLAGS });
}
