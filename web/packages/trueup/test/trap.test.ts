// What happens after the module has trapped. The real one is made to: its memory can be reached.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  chat,
  premium,
  record,
  startServer,
  startUsage,
  startVisitor,
  viewWith,
} from "./support.js";

const RealInstance = WebAssembly.Instance;
let instances: WebAssembly.Instance[] = [];

beforeEach(() => {
  instances = [];
  WebAssembly.Instance = class extends RealInstance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      instances.push(this);
    }
  };
});

afterEach(() => {
  WebAssembly.Instance = RealInstance;
});

function newestMemory(): WebAssembly.Memory {
  const exported = Object.values(instances.at(-1)?.exports ?? {});
  const memory = exported.find((value) => value instanceof WebAssembly.Memory);
  if (!memory) throw new Error("there is no instance with a memory");
  return memory;
}

/** Spoils the newest instance's memory: its next allocation follows a wild pointer, and traps. */
function spoilMemory(): void {
  new Uint8Array(newestMemory().buffer).fill(0xff);
}

/** Leaves the newest instance no memory to grow into: its next large allocation traps. */
function takeMemory(): void {
  const memory = newestMemory();
  for (let pages = 32_768; pages >= 1; pages /= 2) {
    try {
      while (true) memory.grow(pages);
    } catch {
      // Less may still be had.
    }
  }
}

describe("after a trap", () => {
  test("a fresh instance goes on, and no other number was ever shown", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const events = record(usage);
    const shown = new Set<number>();
    usage.subscribe(() => shown.add(premium(usage).remaining));
    server.next((call, ledger) => {
      spoilMemory();
      ledger.hold(call.operation);
      call.chunk("hello");
      ledger.settle(call.operation);
      call.last();
    });

    const reply = await usage.fetch(`${server.url}/v1/chat/completions`, chat());
    expect((await reply.text()).endsWith("data: [DONE]\n\n")).toBe(true);
    await viewWith(usage, (view) => view.version === 3);
    expect(instances).toHaveLength(2);
    expect(events).toEqual([expect.objectContaining({ type: "error", code: "restarting" })]);
    expect(premium(usage)).toEqual({ used: 1, pending: 0, remaining: 4 });

    await (await usage.fetch(`${server.url}/v1/chat/completions`, chat())).text();
    expect(premium(usage)).toEqual({ used: 2, pending: 0, remaining: 3 });
    expect([...shown]).toEqual([4, 3]);
  });

  test("whoever caused it is told to try again in a moment", async () => {
    const usage = await startVisitor();
    takeMemory();
    const tooLong = { model: "x".repeat(4_000_000) };
    const restarting = expect.objectContaining({ name: "TrueupError", code: "restarting" });
    expect(() => usage.begin(tooLong)).toThrow(restarting);
    expect(() => usage.begin({ charge: { premium_messages: 1 } })).toThrow(restarting);
    expect(premium(usage)).toEqual({ used: 0, pending: 0, remaining: 5 });
  });

  test("again and again the module is left alone, and chats go on", async () => {
    const server = await startServer();
    const usage = await startUsage(server);
    const events = record(usage);
    for (let traps = 1; traps <= 4; traps += 1) {
      const operation = usage.begin({ model: "gpt-5" });
      spoilMemory();
      operation.sent();
      // Waits for the fresh instance, if there is one.
      const reply = await usage.fetch(`${server.url}/v1/chat/completions`, chat());
      expect(await reply.text()).toContain("[DONE]");
    }
    const faults = events.filter((event) => event.type === "error").map(({ code }) => code);
    expect(faults).toEqual(["restarting", "restarting", "restarting", "stopped"]);
    expect(instances).toHaveLength(4);
    expect(() => usage.begin({ model: "gpt-5" })).toThrow(
      expect.objectContaining({ code: "stopped" }),
    );
    const tracked = server.calls.map(({ operation }) => operation !== "");
    expect(tracked).toEqual([true, true, true, false]);
  });
});
