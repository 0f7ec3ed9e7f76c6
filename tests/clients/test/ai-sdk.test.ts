import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, streamText } from "ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOUSES, type House, visitor } from "../src/houses.ts";
import { PREMIUM_LIMIT, type Snapshot } from "../src/server.ts";

const HELLO = { prompt: "Is it raining?", maxOutputTokens: 6 };

describe.each(Object.entries(HOUSES))("the AI SDK %s", (_, open) => {
  let house: House;
  beforeAll(async () => {
    house = await open();
  });
  afterAll(() => house.stop());

  async function newModel() {
    const { account, token } = await visitor(house);
    const snapshots: Snapshot[] = [];
    const sent: string[] = [];
    const keep = (body: unknown) => {
      const snapshot = (body as { trueup?: Snapshot }).trueup;
      if (snapshot) snapshots.push(snapshot);
    };
    const trueup = createOpenAICompatible({
      name: "trueup",
      baseURL: `${house.server.url}/v1`,
      apiKey: token,
      includeUsage: true,
      fetch: (input, init) => {
        sent.push(String(input));
        return fetch(input, init);
      },
      metadataExtractor: {
        extractMetadata: async ({ parsedBody }) => {
          keep(parsedBody);
          return undefined;
        },
        createStreamExtractor: () => ({ processChunk: keep, buildMetadata: () => undefined }),
      },
    });
    return { account, token, snapshots, sent, model: trueup("gpt-5") };
  }

  test("streams text, and the snapshot is in reach of its extractor", async () => {
    const { account, token, snapshots, model } = await newModel();
    const result = streamText({ model, ...HELLO });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    expect(text).toMatch(/^This is gpt-5, about /);
    expect(await result.finishReason).toBe("length");
    expect((await result.usage).outputTokens).toBe(6);
    expect(snapshots).toHaveLength(1);
    expect(snapshots[0]?.account).toBe(account);
    expect(snapshots[0]?.meters.premium_messages).toMatchObject({ used: 1, held: 0 });
    const conversation = (await result.response).headers?.["trueup-conversation"];
    const saved = await house.server.messages(token, String(conversation));
    expect(saved.at(-1)).toMatchObject({ role: "assistant", content: text });
  });

  test("generates text without a stream", async () => {
    const { snapshots, model } = await newModel();
    const result = await generateText({ model, ...HELLO });
    expect(result.text).toMatch(/^This is gpt-5/);
    expect(result.finishReason).toBe("length");
    expect(result.usage.outputTokens).toBe(6);
    expect(snapshots[0]?.meters.premium_messages).toMatchObject({ used: 1, held: 0 });
  });

  test("is refused at the limit, and does not try again", async () => {
    const { sent, model } = await newModel();
    for (let count = 0; count < PREMIUM_LIMIT; count += 1) {
      await generateText({ model, ...HELLO, maxOutputTokens: 1 });
    }
    const before = sent.length;
    const error = await generateText({ model, ...HELLO }).catch((error: unknown) => error);
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ statusCode: 402, isRetryable: false });
    expect(sent.length - before).toBe(1);
  });

  test("is told inside the stream when the model fails in its middle", async () => {
    const { token, model } = await newModel();
    await house.server.setFaults(token, { fail_after_token: true });
    const errors: unknown[] = [];
    const result = streamText({ model, ...HELLO, onError: ({ error }) => void errors.push(error) });
    await result.consumeStream();
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors[0])).toContain("provider_failed");
    const usage = await house.server.usage(token);
    expect(usage.meters.premium_messages).toMatchObject({ used: 0, held: 0 });
  });

  test("pays for what it was given before it stopped listening", async () => {
    const { token, model } = await newModel();
    const stop = new AbortController();
    const result = streamText({ model, ...HELLO, abortSignal: stop.signal });
    for await (const piece of result.textStream) {
      if (piece) stop.abort();
    }
    await expect
      .poll(() => house.server.usage(token))
      .toMatchObject({
        meters: { premium_messages: { used: 1, held: 0 } },
        operations: [],
      });
  });
});
