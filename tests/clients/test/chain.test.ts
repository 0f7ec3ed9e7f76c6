import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chain, openChain, RESELLER, visitor } from "../src/houses.ts";
import type { Snapshot } from "../src/server.ts";

const SHORT = {
  model: "gpt-5",
  messages: [{ role: "user", content: "Is it raining?" } as const],
  max_completion_tokens: 3,
};

let chain: Chain;
beforeAll(async () => {
  chain = await openChain();
});
afterAll(() => chain.stop());

test("each of two gateways charges its own account, and shows its own snapshot", async () => {
  const reseller = await chain.upstream.token(RESELLER);
  const { account, token } = await visitor(chain);
  const client = new OpenAI({ apiKey: token, baseURL: `${chain.server.url}/v1` });
  const stream = await client.chat.completions.create({ ...SHORT, stream: true });
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);

  const snapshots = chunks
    .map((chunk) => (chunk as { trueup?: Snapshot }).trueup)
    .filter((snapshot) => snapshot !== undefined);
  expect(snapshots.map((snapshot) => snapshot.account)).toEqual([account]);
  expect(chunks.at(-1)?.usage?.completion_tokens).toBe(3);
  const behind = await chain.upstream.usage(reseller);
  expect(behind.account).toBe(RESELLER);
  expect(behind.meters.premium_messages).toMatchObject({ used: 1, held: 0 });
});

test("a visitor who stops listening in front stops the answer behind", async () => {
  const reseller = await chain.upstream.token(RESELLER);
  const { token } = await visitor(chain);
  const client = new OpenAI({ apiKey: token, baseURL: `${chain.server.url}/v1` });
  const long = { ...SHORT, max_completion_tokens: 1000, stream: true } as const;
  const before = await chain.upstream.usage(reseller);
  const stream = await client.chat.completions.create(long);
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break;
  }
  await expect
    .poll(() => chain.upstream.usage(reseller, before.version))
    .toMatchObject({
      operations: [{ state: "settled", cause: "aborted" }],
    });
});
