import { describe, expect, test } from "vitest";
import { contextOf } from "./context";
import type { Message, MessageState } from "./message";

/** A message and its reply. */
function exchange(text: string, state: MessageState): readonly Message[] {
  return [
    { key: `${text}-user`, role: "user", text, state: "sent", model: "gpt-5" },
    { key: text, role: "assistant", text: `re ${text}`, state, model: "gpt-5" },
  ];
}

const contents = (messages: readonly Message[]) =>
  contextOf(messages, "next").map(({ content }) => content);

describe("a message is sent with", () => {
  test.each<[MessageState, readonly string[]]>([
    ["done", ["a", "re a", "next"]],
    ["streaming", ["a", "next"]],
    ["stopped", ["a", "next"]],
    ["failed", ["next"]],
    ["refused", ["next"]],
  ])("what was said before, as far as it was taken: the reply is %s", (state, expected) => {
    expect(contents(exchange("a", state))).toEqual(expected);
  });

  test("a message that was saved without its reply", () => {
    const [saved] = exchange("saved", "done");
    expect(contents(saved ? [saved, ...exchange("b", "failed")] : [])).toEqual(["saved", "next"]);
  });

  test("the last twelve", () => {
    const many = Array.from({ length: 10 }, (_, n) => exchange(`${n}`, "done")).flat();
    expect(contents(many)).toHaveLength(13);
    expect(contents(many)[0]).toBe("4");
  });

  test("no more text than a server takes", () => {
    const long = exchange("x".repeat(60_000), "done");
    expect(contents([...long, ...exchange("b", "done")])).toEqual(["b", "re b", "next"]);
  });
});
