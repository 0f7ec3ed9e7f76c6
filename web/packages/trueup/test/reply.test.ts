import { describe, expect, test } from "vitest";
import { followReply, type ReplySteps } from "../src/reply.js";

/** Steps that write down what became of the reply. */
function steps(): ReplySteps & { log: string[] } {
  const log: string[] = [];
  const decoder = new TextDecoder();
  return {
    log,
    feed: (bytes) => log.push(`feed ${decoder.decode(bytes)}`),
    receive: (body) => log.push(`receive ${body}`),
    end: (well) => log.push(well ? "finish" : "fail"),
  };
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** A source that hands out one chunk whenever it is asked, and counts how often it was. */
function source(chunks: readonly (string | Error)[]) {
  const seen = { pulls: 0, cancelled: undefined as unknown };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const next = chunks[seen.pulls++];
        if (next === undefined) controller.close();
        else if (next instanceof Error) controller.error(next);
        else controller.enqueue(bytes(next));
      },
      cancel(reason) {
        seen.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, stream };
}

function eventStream(stream: ReadableStream<Uint8Array<ArrayBuffer>>, status = 200): Response {
  return new Response(stream, { status, headers: { "Content-Type": "text/event-stream" } });
}

describe("a stream", () => {
  test("is fed and handed on chunk by chunk, and finishes at its end", async () => {
    const told = steps();
    const reply = await followReply(eventStream(source(["data: 1", "\n\n"]).stream), null, told);
    expect(told.log).toEqual([]);
    expect(await reply.text()).toBe("data: 1\n\n");
    expect(told.log).toEqual(["feed data: 1", "feed \n\n", "finish"]);
  });

  test("is read no faster than its reader reads", async () => {
    const { seen, stream } = source(["a", "b", "c"]);
    const reply = await followReply(eventStream(stream), null, steps());
    expect(seen.pulls).toBe(0);
    const reader = reply.body?.getReader();
    await reader?.read();
    expect(seen.pulls).toBe(1);
    await reader?.read();
    expect(seen.pulls).toBe(2);
  });

  test("that is cancelled cancels its source, and fails", async () => {
    const told = steps();
    const { seen, stream } = source(["a", "b"]);
    const reply = await followReply(eventStream(stream), null, told);
    await reply.body?.cancel("enough");
    expect(seen.cancelled).toBe("enough");
    expect(told.log).toEqual(["fail"]);
  });

  test("that breaks fails, and breaks for its reader with the same error", async () => {
    const told = steps();
    const broken = new Error("connection lost");
    const reply = await followReply(eventStream(source(["a", broken]).stream), null, told);
    await expect(reply.text()).rejects.toBe(broken);
    expect(told.log).toEqual(["feed a", "fail"]);
  });

  test("whose request is aborted fails once, even when nobody reads on", async () => {
    const told = steps();
    const abort = new AbortController();
    const reply = await followReply(eventStream(source(["a"]).stream), abort.signal, told);
    abort.abort();
    expect(told.log).toEqual(["fail"]);
    await reply.body?.cancel();
    expect(told.log).toEqual(["fail"]);
  });

  test("that has ended is not failed by a later abort", async () => {
    const told = steps();
    const abort = new AbortController();
    const reply = await followReply(eventStream(source([]).stream), abort.signal, told);
    await reply.text();
    abort.abort();
    expect(told.log).toEqual(["finish"]);
  });

  test("with an error status fails at its end", async () => {
    const told = steps();
    const reply = await followReply(eventStream(source(["a"]).stream, 500), null, told);
    await reply.text();
    expect(told.log).toEqual(["feed a", "fail"]);
  });

  test("of another type is followed to its end and not fed", async () => {
    const told = steps();
    const reply = await followReply(new Response(source(["a"]).stream), null, told);
    expect(await reply.text()).toBe("a");
    expect(told.log).toEqual(["finish"]);
  });

  test("keeps status, headers and address, also in a clone", async () => {
    const original = new Response(source(["a"]).stream, {
      status: 203,
      statusText: "Fine",
      headers: { "Content-Type": "text/event-stream", "Trueup-Conversation": "c1" },
    });
    Object.defineProperties(original, {
      url: { value: "https://usage.example.com/v1/chat/completions" },
      redirected: { value: true },
      type: { value: "cors" },
    });
    const reply = await followReply(original, null, steps());
    for (const response of [reply, reply.clone()]) {
      expect(response).toBeInstanceOf(Response);
      expect(response).toMatchObject({
        status: 203,
        statusText: "Fine",
        ok: true,
        url: "https://usage.example.com/v1/chat/completions",
        redirected: true,
        type: "cors",
      });
      expect(response.headers.get("trueup-conversation")).toBe("c1");
    }
  });
});

describe("a JSON reply", () => {
  const json = (body: BodyInit | null, init: ResponseInit = {}): Response =>
    new Response(body, { headers: { "Content-Type": "application/json" }, ...init });

  test.each([
    [200, "finish"],
    [402, "fail"],
    [503, "fail"],
  ])("with status %i is received before it is handed on, then: %s", async (status, end) => {
    const told = steps();
    const response = json("{}", { status, headers: { "Content-Type": "application/json" } });
    const reply = await followReply(response, null, told);
    expect(told.log).toEqual(["receive {}", end]);
    expect(reply).toBe(response);
    expect(await reply.text()).toBe("{}");
  });

  test("is known by any type that is JSON", async () => {
    const told = steps();
    const headers = { "Content-Type": "application/problem+json; charset=utf-8" };
    await followReply(json("{}", { headers }), null, told);
    expect(told.log).toEqual(["receive {}", "finish"]);
  });

  test("that breaks fails, and breaks for its reader", async () => {
    const told = steps();
    const broken = new Error("connection lost");
    const reply = await followReply(json(source(["{", broken]).stream), null, told);
    expect(told.log).toEqual(["fail"]);
    await expect(reply.text()).rejects.toBe(broken);
  });

  test("of unusual size is not held back", async () => {
    const told = steps();
    const headers = { "Content-Type": "application/json", "Content-Length": "9000000" };
    const reply = await followReply(json(source(["{}"]).stream, { headers }), null, told);
    expect(told.log).toEqual([]);
    await reply.text();
    expect(told.log).toEqual(["finish"]);
  });

  test.each([
    [204, "finish"],
    [205, "finish"],
    [304, "fail"],
  ])(
    "with status %i ends at once, with whatever body a browser gives it: %s",
    async (status, end) => {
      const told = steps();
      const { stream } = source([]);
      const original = Object.defineProperties(new Response(stream), {
        status: { value: status },
        ok: { value: status < 300 },
      });
      expect(await followReply(original, null, told)).toBe(original);
      expect(told.log).toEqual([end]);
    },
  );

  test("without a body ends at once", async () => {
    const told = steps();
    await followReply(new Response(null, { status: 204 }), null, told);
    expect(told.log).toEqual(["finish"]);
  });
});
