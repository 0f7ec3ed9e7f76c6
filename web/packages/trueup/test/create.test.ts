import { describe, expect, test, vi } from "vitest";
import { createTrueup, TrueupError } from "../src/index.js";
import {
  nextEvent,
  premium,
  record,
  startServer,
  startUsage,
  startVisitor,
  viewWith,
} from "./support.js";

const ONE = { charge: { premium_messages: 1 } };

describe("createTrueup", () => {
  test("gives the server's figures", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    expect(usage.getSnapshot()).toMatchObject({
      status: "live",
      account: "acct_7",
      version: 1,
      meters: {
        premium_messages: {
          limit: 5,
          used: 0,
          settled: 0,
          held: 0,
          pending: 0,
          remaining: 5,
          enforcement: "hard",
          resetting: false,
        },
      },
    });
  });

  test("takes a base address with or without a slash at its end", async () => {
    const server = await startServer();
    const usage = await startUsage(server, { baseUrl: `${server.url}/` });
    expect(usage.getSnapshot().status).toBe("live");
  });

  test("asks no server for an anonymous visitor", async () => {
    const server = await startServer();
    const usage = await startVisitor(5, { baseUrl: server.url });
    usage.refresh();
    expect(usage.getSnapshot().status).toBe("anonymous");
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
    expect(server.requests).toEqual([]);
  });

  const getToken = (): null => null;
  test.each<[string, unknown]>([
    ["no options", undefined],
    ["no getToken", {}],
    ["a token in the place of getToken", { getToken: "token" }],
    ["a negative poll interval", { getToken, pollIntervalMs: -1 }],
    ["a limit that is no number", { getToken, anonymousLimits: { messages: "5" } }],
    ["a fractional limit", { getToken, anonymousLimits: { messages: 1.5 } }],
  ])("refuses %s", async (_, options) => {
    const started = createTrueup(options as never);
    await expect(started).rejects.toBeInstanceOf(TrueupError);
    await expect(started).rejects.toMatchObject({ code: "invalid_config" });
  });
});

describe("the view", () => {
  test("is one frozen object until a figure changes", async () => {
    const usage = await startVisitor();
    const before = usage.getSnapshot();
    usage.refresh();
    expect(usage.getSnapshot()).toBe(before);
    usage.begin(ONE);
    const after = usage.getSnapshot();
    expect(after).not.toBe(before);
    expect(usage.getSnapshot()).toBe(after);
    expect(Object.isFrozen(after.meters.premium_messages)).toBe(true);
  });

  test("is told of once per change, until the listener leaves", async () => {
    const usage = await startVisitor();
    const listener = vi.fn();
    const leave = usage.subscribe(listener);
    const operation = usage.begin(ONE);
    expect(listener).toHaveBeenCalledTimes(1);
    operation.fail();
    expect(listener).toHaveBeenCalledTimes(2);
    leave();
    usage.begin(ONE);
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test("may be read within a listener", async () => {
    const usage = await startVisitor();
    const seen: number[] = [];
    usage.subscribe(() => seen.push(premium(usage).used));
    usage.begin(ONE);
    expect(seen).toEqual([1]);
  });

  test("reaches every listener, whatever another one throws", async () => {
    const uncaught = vi.fn();
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", uncaught);
    try {
      const usage = await startVisitor();
      const listener = vi.fn();
      usage.subscribe(() => {
        throw new Error("the app's own");
      });
      usage.subscribe(listener);
      usage.begin(ONE);
      await new Promise(setImmediate);
      expect(listener).toHaveBeenCalledTimes(1);
      expect(uncaught.mock.calls[0]?.[0]).toMatchObject({ message: "the app's own" });
    } finally {
      for (const listener of before) process.on("uncaughtException", listener);
    }
  });
});

describe("an operation by hand", () => {
  test("counts from begin, and for good once it has finished", async () => {
    const usage = await startVisitor();
    const operation = usage.begin(ONE);
    expect(operation).toMatchObject({ allowed: true, predicted: { premium_messages: 1 } });
    expect(operation.headers["Trueup-Operation"]).toBe(operation.id);
    expect(premium(usage)).toEqual({ used: 1, pending: 1, remaining: 4 });
    operation.sent();
    operation.finish();
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
    operation.finish();
    operation.fail();
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
  });

  test("that fails before it was sent counts no more", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const operation = usage.begin({ model: "gpt-5" });
    expect(premium(usage).used).toBe(1);
    operation.fail();
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });

  test("says what it is short of", async () => {
    const usage = await startVisitor(1);
    const operation = usage.begin({ charge: { premium_messages: 2 } });
    expect(operation.allowed).toBe(false);
    expect(operation.refusal).toMatchObject({ meter: "premium_messages", asked: 2, remaining: 1 });
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 1 });
  });

  test("carries the version that the server should tell from", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    expect(usage.begin({ model: "gpt-5" }).headers["Trueup-Since"]).toBe("1");
  });

  test.each([
    ["an unknown model", { model: "gpt-6" }, "unknown_model"],
    ["nothing", {}, "invalid_request"],
    ["no units", { charge: { premium_messages: 0 } }, "invalid_request"],
    ["half a unit", { charge: { premium_messages: 0.5 } }, "invalid_request"],
    ["more than can be counted", { charge: { premium_messages: 2 ** 53 } }, "invalid_request"],
  ])("is refused for %s", async (_, request, code) => {
    const server = await startServer();
    const usage = await startUsage(server);
    const error = catchError(() => usage.begin(request as never));
    expect(error).toBeInstanceOf(TrueupError);
    expect(error).toMatchObject({ code });
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });
});

describe("events", () => {
  test("a movement from elsewhere is a correction that agrees with the view", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.ledger.useElsewhere(2);
    const told = nextEvent(usage, "correction");
    usage.refresh();
    const correction = await told;
    expect(correction).toMatchObject({
      cause: "other_device",
      meter: "premium_messages",
      before: { used: 0, limit: 5, remaining: 5 },
      after: { used: 2, limit: 5, remaining: 3 },
      movements: [{ meter: "premium_messages" }],
    });
    expect(correction.text).toMatch(/^[A-Z].*\.$/);
    expect(premium(usage).used).toBe(2);
  });

  test("reach only those who listen to them, until they leave", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const corrections = vi.fn();
    const leave = usage.on("correction", corrections);
    usage.begin({ model: "gpt-5" }).fail();
    expect(corrections).not.toHaveBeenCalled();
    leave();
    server.ledger.useElsewhere(2);
    usage.refresh();
    await viewWith(usage, (view) => view.version === 2);
    expect(corrections).not.toHaveBeenCalled();
  });
});

describe("sessionChanged", () => {
  test("takes nothing of the old session into the new one", async () => {
    const server = await startServer();
    let token: string | null = "token-7";
    const usage = await startUsage(server, {
      getToken: (): string | null => token,
      anonymousLimits: { premium_messages: 3 },
    });
    usage.begin({ model: "gpt-5" });
    token = null;
    await usage.sessionChanged();
    expect(usage.getSnapshot().status).toBe("anonymous");
    expect(usage.getSnapshot()).not.toHaveProperty("account");
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 3 });
    token = "token-7";
    await usage.sessionChanged();
    await viewWith(usage, (view) => view.status === "live");
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });
});

describe("stop", () => {
  test("leaves the last view, and does nothing any more", async () => {
    const usage = await startVisitor();
    const operation = usage.begin(ONE);
    const before = usage.getSnapshot();
    const events = record(usage);
    usage.stop();
    usage.stop();
    operation.finish();
    usage.refresh();
    await usage.sessionChanged();
    expect(usage.getSnapshot()).toBe(before);
    expect(catchError(() => usage.begin(ONE))).toMatchObject({ code: "stopped" });
    expect(events).toEqual([]);
  });

  test("leaves fetch as a fetch that counts nothing", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    usage.stop();
    const body = JSON.stringify({ model: "gpt-5" });
    const reply = await usage.fetch(`${server.url}/elsewhere`, { method: "POST", body });
    expect(reply.ok).toBe(true);
    expect(server.calls[0]?.headers).not.toHaveProperty("trueup-operation");
  });
});

function catchError(step: () => unknown): unknown {
  try {
    step();
  } catch (error) {
    return error;
  }
  return undefined;
}
