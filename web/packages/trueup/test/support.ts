import { onTestFinished } from "vitest";
import type { Trueup, TrueupEvent, TrueupEvents, TrueupOptions, UsageView } from "../src/index.js";
import { createTrueup } from "../src/index.js";
import { TestServer } from "./server.js";

/** A server for this test alone. */
export async function startServer(): Promise<TestServer> {
  const server = await TestServer.start();
  onTestFinished(() => server.close());
  return server;
}

/** A client of the server for this test alone, signed in unless the options say otherwise. */
export async function startUsage(
  server: TestServer,
  options: Partial<TrueupOptions> = {},
): Promise<Trueup> {
  const usage = await createTrueup({
    baseUrl: server.url,
    getToken: () => "token-7",
    confirmDelayMs: 20,
    storage: false,
    // One way for news to come in: the one that the test is about.
    push: false,
    ...options,
  });
  onTestFinished(() => usage.stop());
  return usage;
}

/** A visitor without an account; asks no server. */
export async function startVisitor(
  limit = 5,
  options: Partial<TrueupOptions> = {},
): Promise<Trueup> {
  const usage = await createTrueup({
    getToken: () => null,
    anonymousLimits: { premium_messages: limit },
    storage: false,
    ...options,
  });
  onTestFinished(() => usage.stop());
  return usage;
}

/** A chat request for `gpt-5`. */
export function chat(content = "hi"): RequestInit {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: "gpt-5", stream: true, messages: [{ role: "user", content }] }),
  };
}

/** Resolves with the first event of that name that `accept` likes. */
export function nextEvent<Name extends keyof TrueupEvents>(
  usage: Trueup,
  name: Name,
  accept: (event: TrueupEvents[Name]) => boolean = () => true,
): Promise<TrueupEvents[Name]> {
  return new Promise((resolve) => {
    const leave = usage.on(name, (event) => {
      if (!accept(event)) return;
      leave();
      resolve(event);
    });
  });
}

/** Resolves with the first view, from the current one on, that `accept` likes. */
export function viewWith(usage: Trueup, accept: (view: UsageView) => boolean): Promise<UsageView> {
  return new Promise((resolve) => {
    const look = (): void => {
      const view = usage.getSnapshot();
      if (!accept(view)) return;
      leave();
      resolve(view);
    };
    const leave = usage.subscribe(look);
    look();
  });
}

/** Everything that was told since this was called. */
export function record(usage: Trueup): TrueupEvent[] {
  const events: TrueupEvent[] = [];
  usage.on("correction", (event) => events.push(event));
  usage.on("decided", (event) => events.push(event));
  usage.on("error", (event) => events.push(event));
  return events;
}

/** The meter of all tests, in the figures that they compare. */
export function premium(usage: Trueup): { used: number; pending: number; remaining: number } {
  const meter = usage.getSnapshot().meters.premium_messages;
  if (!meter || meter.remaining === null) throw new Error("there is no limited premium meter");
  return { used: meter.used, pending: meter.pending, remaining: meter.remaining };
}

/** A promise that is resolved from outside. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
