import { expect, test } from "vitest";
import { charge } from "./charge";
import type { Message } from "./message";

const reply: Message = {
  key: "1",
  role: "assistant",
  text: "",
  state: "done",
  model: "gpt-5",
  answeredBy: "gpt-5",
  operationId: "op",
};
const settled = { state: "settled", cause: "finished" };

test.each<[string, Partial<Message>, string | undefined, string]>([
  ["no word yet", { state: "waiting", operationId: undefined }, "pending", "1 premium set aside"],
  ["streaming", { state: "streaming" }, "held", "1 premium set aside"],
  ["settled", { outcome: settled }, "settled", "1 premium charged"],
  [
    "settled by the model that answered",
    { outcome: { state: "settled", cause: "fallback" }, answeredBy: "gpt-5-mini" },
    "settled",
    "1 standard charged",
  ],
  [
    "released",
    { state: "failed", outcome: { state: "released", cause: "provider_failed" } },
    undefined,
    "nothing charged",
  ],
  ["refused", { state: "refused" }, undefined, "nothing charged"],
  ["lost", { state: "failed" }, "pending", "1 premium waits for the server’s word"],
  ["anonymous", { operationId: undefined }, undefined, "counted here only"],
])("the charge of a message: %s", (_, change, kind, words) => {
  expect(charge({ ...reply, ...change })).toEqual({ kind, words });
});
