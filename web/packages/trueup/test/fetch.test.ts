import { describe, expect, test } from "vitest";
import {
  chat,
  gate,
  nextEvent,
  premium,
  record,
  startServer,
  startUsage,
  startVisitor,
  viewWith,
} from "./support.js";

const PATH = "/v1/chat/completions";
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("a chat call", () => {
  test("is counted before fetch returns, and settled by its last chunk", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const decided = nextEvent(usage, "decided");
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });

    const reply = usage.fetch(server.url + PATH, chat());
    expect(premium(usage)).toEqual({ used: 1, pending: 1, remaining: 4 });

    await (await reply).text();
    expect(await decided).toMatchObject({ state: "settled", cause: "finished" });
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
    expect(server.requests.filter((request) => request === "GET /v1/usage")).toHaveLength(1);
  });

  test("never shows another number on its way", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const events = record(usage);
    const shown = new Set<number>();
    usage.subscribe(() => shown.add(premium(usage).remaining));
    for (let sent = 0; sent < 3; sent += 1) {
      await (await usage.fetch(server.url + PATH, chat())).text();
    }
    expect([...shown]).toEqual([4, 3, 2]);
    expect(events.filter(({ type }) => type !== "decided")).toEqual([]);
  });

  test("carries the operation, the version and the token", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    await usage.fetch(server.url + PATH, chat());
    const { headers, body } = server.calls[0] ?? {};
    expect(headers?.["trueup-operation"]).toMatch(UUID_V7);
    expect(headers?.["trueup-since"]).toBe("1");
    expect(headers?.authorization).toBe("Bearer token-7");
    expect(headers?.["content-type"]).toBe("application/json");
    expect(body).toBe(chat().body);
  });

  test("keeps an Authorization of its own", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const headers = { Authorization: "Bearer mine" };
    await usage.fetch(server.url + PATH, { ...chat(), headers });
    expect(server.calls[0]?.headers.authorization).toBe("Bearer mine");
  });

  test("may be a request object", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const request = new Request(server.url + PATH, chat());
    await (await usage.fetch(request)).text();
    expect(server.calls[0]?.body).toBe(chat().body);
    expect(server.calls[0]?.headers.authorization).toBe("Bearer token-7");
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
  });

  test("passes its bytes on unchanged, however they are cut", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const cut = gate();
    server.next(async (call, ledger) => {
      ledger.hold(call.operation);
      ledger.settle(call.operation);
      const text = `data: {"choices":[{"delta":{"content":"né 🦀"}}]}\n\ndata: ${JSON.stringify({
        choices: [],
        trueup: call.snapshot,
      })}\n\ndata: [DONE]\n\n`;
      const whole = Buffer.from(text);
      for (let at = 0; at < whole.length; at += 7) {
        call.write(whole.subarray(at, at + 7));
        await new Promise(setImmediate);
      }
      call.end();
      cut.open();
    });
    const reply = await (await usage.fetch(server.url + PATH, chat())).text();
    await cut.opened;
    expect(reply).toContain('{"delta":{"content":"né 🦀"}}');
    expect(reply.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
  });

  test("that brings no snapshot is asked for", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.next((call, ledger) => {
      ledger.hold(call.operation);
      call.chunk("hello");
      ledger.settle(call.operation);
      call.end();
    });
    const decided = nextEvent(usage, "decided");
    await (await usage.fetch(server.url + PATH, chat())).text();
    expect(premium(usage)).toEqual({ used: 1, pending: 1, remaining: 4 });
    expect(await decided).toMatchObject({ state: "settled" });
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
  });

  test("that is cut in the middle is asked for", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.next(async (call, ledger) => {
      ledger.hold(call.operation);
      call.chunk("hel");
      await new Promise(setImmediate);
      ledger.release(call.operation);
      call.cut();
    });
    const decided = nextEvent(usage, "decided");
    const reply = await usage.fetch(server.url + PATH, chat());
    await expect(reply.text()).rejects.toThrow();
    expect(await decided).toMatchObject({ state: "released", cause: "provider_failed" });
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });

  test("that is cancelled closes the connection, and is asked for", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.next(async (call, ledger) => {
      ledger.hold(call.operation);
      call.chunk("hel");
      await call.closed();
      ledger.settle(call.operation);
    });
    const decided = nextEvent(usage, "decided");
    const reply = await usage.fetch(server.url + PATH, chat());
    const reader = reply.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await server.calls[0]?.closed();
    usage.refresh();
    expect(await decided).toMatchObject({ state: "settled" });
  });

  test("that is aborted before its reply rejects as fetch does", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const arrived = gate();
    server.next(async (call, ledger) => {
      ledger.hold(call.operation);
      arrived.open();
      await call.closed();
      ledger.release(call.operation, "aborted");
    });
    const abort = new AbortController();
    const reply = usage.fetch(server.url + PATH, { ...chat(), signal: abort.signal });
    await arrived.opened;
    const decided = nextEvent(usage, "decided");
    abort.abort();
    await expect(reply).rejects.toMatchObject({ name: "AbortError" });
    expect(await decided).toMatchObject({ state: "released", cause: "aborted" });
  });

  test("that is aborted before it leaves is forgotten, and nothing is asked or fenced", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const before = [...server.requests];
    const reply = usage.fetch(server.url + PATH, { ...chat(), signal: AbortSignal.abort() });
    expect(premium(usage)).toEqual({ used: 1, pending: 1, remaining: 4 });
    await expect(reply).rejects.toMatchObject({ name: "AbortError" });
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
    await (await usage.fetch(server.url + PATH, chat())).text();
    expect(server.requests).toEqual([...before, `POST ${PATH}`]);
  });

  test("that never arrives is fenced", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.next((call) => call.cut());
    const decided = nextEvent(usage, "decided");
    await expect(usage.fetch(server.url + PATH, chat())).rejects.toThrow("fetch failed");
    expect(await decided).toMatchObject({ state: "fenced", cause: "never_arrived" });
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });

  test("that is refused has changed the view when its reply is there", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.ledger.useElsewhere(5);
    server.next((call, ledger) => {
      ledger.hold(call.operation);
      call.json(402, { error: { code: "usage_limit_exceeded" }, usage: call.snapshot });
    });
    const events = record(usage);
    const reply = await usage.fetch(server.url + PATH, chat());
    expect(reply.status).toBe(402);
    expect(premium(usage)).toEqual({ used: 5, pending: 0, remaining: 0 });
    expect(events).toContainEqual(expect.objectContaining({ type: "decided", state: "refused" }));
    expect(await reply.json()).toMatchObject({ error: { code: "usage_limit_exceeded" } });
  });

  test("without streaming is settled when its reply is there", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.next((call, ledger) => {
      ledger.hold(call.operation);
      ledger.settle(call.operation);
      call.json(200, { choices: [], trueup: call.snapshot });
    });
    const reply = await usage.fetch(server.url + PATH, chat());
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
    expect(await reply.json()).toMatchObject({ choices: [] });
  });

  test("over a limit that is known here is still decided by the server", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.ledger.useElsewhere(5);
    usage.refresh();
    await viewWith(usage, (view) => view.meters.premium_messages?.remaining === 0);
    server.ledger.useElsewhere(-1);
    await (await usage.fetch(server.url + PATH, chat())).text();
    expect(server.calls).toHaveLength(1);
    expect(premium(usage)).toEqual({ used: 5, pending: 0, remaining: 0 });
  });

  test("for a model that is not in the catalog is left to the server", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const events = record(usage);
    server.next((call) => call.json(404, { error: { code: "unknown_model" } }));
    const body = JSON.stringify({ model: "gpt-6", messages: [] });
    const reply = await usage.fetch(server.url + PATH, { ...chat(), body });
    expect(reply.status).toBe(404);
    expect(server.calls[0]?.headers).not.toHaveProperty("trueup-operation");
    expect(server.calls[0]?.headers.authorization).toBe("Bearer token-7");
    expect(events).toEqual([expect.objectContaining({ type: "error", code: "unknown_model" })]);
  });

  test("whose token cannot be had is not sent and not counted", async () => {
    const server = await startServer();
    let working = true;
    const getToken = (): string => {
      if (working) return "token-7";
      throw new Error("session lost");
    };
    const usage = await startUsage(server, { getToken });
    working = false;
    const reply = usage.fetch(server.url + PATH, chat());
    await expect(reply).rejects.toMatchObject({ name: "TrueupError", code: "token_failed" });
    expect(server.calls).toEqual([]);
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });

  test("of an operation begun by hand is that operation", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const operation = usage.begin({ model: "gpt-5" });
    const decided = nextEvent(usage, "decided");
    await (await usage.fetch(server.url + PATH, { ...chat(), headers: operation.headers })).text();
    expect(server.calls[0]?.operation).toBe(operation.id);
    expect(await decided).toMatchObject({ opId: operation.id, state: "settled" });
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
  });
});

describe("a request that is no chat call", () => {
  test("passes through untouched", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    server.next((call) => call.json(200, { headers: call.headers }));
    const reply = await usage.fetch(`${server.url}/elsewhere`, { method: "POST", body: "{}" });
    const { headers } = (await reply.json()) as { headers: Record<string, string> };
    for (const name of ["authorization", "trueup-operation", "trueup-since"]) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  test("is not told the token when it leads to another origin", async () => {
    const server = await startServer();
    const stranger = await startServer();
    const usage = await startUsage(server);
    stranger.next((call) => call.json(200, {}));
    await usage.fetch(stranger.url + PATH, chat());
    expect(stranger.calls[0]?.headers).not.toHaveProperty("authorization");
    expect(stranger.calls[0]?.headers).not.toHaveProperty("trueup-operation");
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });

  test("is a chat call once its origin is named", async () => {
    const server = await startServer();
    const backend = await startServer();
    const usage = await startUsage(server, { origins: [backend.url] });
    backend.next((call) => {
      call.chunk("hello");
      call.end();
    });
    await usage.fetch(backend.url + PATH, chat());
    expect(backend.calls[0]?.headers.authorization).toBe("Bearer token-7");
    expect(premium(usage)).toEqual({ used: 1, pending: 1, remaining: 4 });
  });
});

describe("an anonymous visitor", () => {
  const anonymousCharges = { "gpt-5": { premium_messages: 1 } };

  test("is counted here and sends no token", async () => {
    const server = await startServer();
    const usage = await startVisitor(2, { baseUrl: server.url, anonymousCharges });
    server.next((call) => {
      call.chunk("hello");
      call.end();
    });
    const reply = usage.fetch(server.url + PATH, chat());
    expect(premium(usage)).toEqual({ used: 1, pending: 1, remaining: 1 });
    await (await reply).text();
    expect(server.calls[0]?.headers).not.toHaveProperty("authorization");
    expect(server.calls[0]?.headers).not.toHaveProperty("trueup-since");
    expect(server.requests).toEqual([`POST ${PATH}`]);
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 1 });
  });

  test("over the local limit gets the server's refusal without a request", async () => {
    const server = await startServer();
    const usage = await startVisitor(0, { baseUrl: server.url, anonymousCharges });
    const reply = await usage.fetch(server.url + PATH, chat());
    expect(reply.status).toBe(402);
    expect(await reply.json()).toMatchObject({
      error: {
        code: "usage_limit_exceeded",
        type: "insufficient_quota",
        meter: "premium_messages",
        remaining: 0,
      },
    });
    expect(server.requests).toEqual([]);
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 0 });
  });

  test("is not charged for what failed", async () => {
    const server = await startServer();
    const usage = await startVisitor(2, { baseUrl: server.url, anonymousCharges });
    server.next((call) => call.json(503, { error: { code: "unavailable" } }));
    expect((await usage.fetch(server.url + PATH, chat())).status).toBe(503);
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 2 });
  });
});
