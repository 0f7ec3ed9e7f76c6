// The official client on top of `usage.fetch`, unchanged.

import OpenAI from "openai";
import { expect, test } from "vitest";
import type { Trueup } from "../src/index.js";
import type { TestServer } from "./server.js";
import { nextEvent, premium, record, startServer, startUsage } from "./support.js";

function openai(server: TestServer, usage: Trueup): OpenAI {
  return new OpenAI({
    baseURL: `${server.url}/v1`,
    fetch: usage.fetch,
    // The token comes from `usage`.
    apiKey: "-",
    defaultHeaders: { Authorization: null },
    maxRetries: 2,
  });
}

function send(client: OpenAI) {
  return client.chat.completions.create({
    model: "gpt-5",
    stream: true,
    messages: [{ role: "user", content: "hi" }],
  });
}

async function textOf(stream: Awaited<ReturnType<typeof send>>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

test("a chat streams and is settled", async () => {
  const server = await startServer();
  const usage = await startUsage(server);
  expect(await textOf(await send(openai(server, usage)))).toBe("Hello");
  expect(server.calls[0]?.headers.authorization).toBe("Bearer token-7");
  expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
});

test("a stream that is left early is told as failed", async () => {
  const server = await startServer();
  const usage = await startUsage(server);
  server.next(async (call, ledger) => {
    ledger.hold(call.operation);
    call.chunk("Hel");
    await call.closed();
    ledger.settle(call.operation);
  });
  const decided = nextEvent(usage, "decided");
  for await (const _ of await send(openai(server, usage))) break;
  await server.calls[0]?.closed();
  usage.refresh();
  expect(await decided).toMatchObject({ state: "settled" });
});

test("a retry of a call whose end is unknown is the same operation", async () => {
  const server = await startServer();
  const usage = await startUsage(server);
  server.next((call) => {
    server.down = true;
    call.json(503, { error: { code: "unavailable" } });
  });
  const stream = await send(openai(server, usage));
  server.down = false;
  expect(await textOf(stream)).toBe("Hello");
  const [first, second] = server.calls;
  expect(second?.operation).toBe(first?.operation);
  expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
});

test("a retry of a call that was given back is another operation", async () => {
  const server = await startServer();
  const usage = await startUsage(server);
  server.next((call, ledger) => {
    ledger.hold(call.operation);
    ledger.release(call.operation);
    call.json(502, { error: { code: "provider_failed" }, usage: call.snapshot });
  });
  expect(await textOf(await send(openai(server, usage)))).toBe("Hello");
  const [first, second] = server.calls;
  expect(second?.operation).not.toBe(first?.operation);
  expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
});

test("a retry of a call that never left, for want of a token, counts like any other", async () => {
  const server = await startServer();
  let failures = 0;
  const usage = await startUsage(server, {
    getToken() {
      if (failures === 0) return "token-7";
      failures -= 1;
      throw new Error("no network");
    },
  });
  const events = record(usage);
  failures = 1;
  expect(await textOf(await send(openai(server, usage)))).toBe("Hello");
  expect(server.calls).toHaveLength(1);
  expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });
  expect(events).toEqual([expect.objectContaining({ type: "decided", state: "settled" })]);
});

test("the same question asked again is another operation", async () => {
  const server = await startServer();
  const usage = await startUsage(server);
  const client = openai(server, usage);
  await textOf(await send(client));
  await textOf(await send(client));
  const [first, second] = server.calls;
  expect(second?.operation).not.toBe(first?.operation);
  expect(premium(usage)).toEqual({ used: 2, pending: 0, remaining: 3 });
});

test("a refusal is the client's own error, and is not retried", async () => {
  const server = await startServer();
  const usage = await startUsage(server);
  server.ledger.useElsewhere(5);
  server.next((call, ledger) => {
    ledger.hold(call.operation);
    call.json(402, {
      error: { code: "usage_limit_exceeded", message: "no messages left", type: "x", param: null },
      usage: call.snapshot,
    });
  });
  await expect(send(openai(server, usage))).rejects.toMatchObject({
    status: 402,
    code: "usage_limit_exceeded",
  });
  expect(server.calls).toHaveLength(1);
  expect(premium(usage)).toEqual({ used: 5, pending: 0, remaining: 0 });
});
