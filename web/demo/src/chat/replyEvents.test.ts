import { expect, test } from "vitest";
import { type ReplyEvent, replyEvents } from "./replyEvents";

async function read(...parts: readonly string[]): Promise<ReplyEvent[]> {
  const bytes = parts.map((part) => new TextEncoder().encode(part));
  const events: ReplyEvent[] = [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of bytes) controller.enqueue(part);
      controller.close();
    },
  });
  for await (const event of replyEvents(body)) events.push(event);
  return events;
}

const hello = 'data: {"model":"gpt-5","choices":[{"delta":{"content":"Hello"}}]}\n\n';

test("text comes with the model that answers", async () => {
  expect(await read(hello)).toEqual([{ type: "text", text: "Hello", model: "gpt-5" }]);
});

test("a chunk may arrive in pieces", async () => {
  expect(await read(hello.slice(0, 20), hello.slice(20), "data: [DO", "NE]\n\n")).toEqual([
    { type: "text", text: "Hello", model: "gpt-5" },
    { type: "end" },
  ]);
});

test("comments, roles and the last chunk say nothing", async () => {
  const quiet =
    ': ping\n\ndata: {"choices":[{"delta":{"role":"assistant"}}]}\n\ndata: {"choices":[]}\n\n';
  expect(await read(quiet)).toEqual([]);
});

test("an error inside the stream is told", async () => {
  expect(await read('data: {"error":{"message":"the provider broke off"}}\n\n')).toEqual([
    { type: "error", message: "the provider broke off" },
  ]);
});
