import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOUSES, type House, visitor } from "../src/houses.ts";
import { PREMIUM_LIMIT, type Snapshot } from "../src/server.ts";

const HELLO = { role: "user", content: "Is it raining?" } as const;
const SHORT = { model: "gpt-5", messages: [HELLO], max_completion_tokens: 6 };

/** The member that OpenAI's types do not know. */
function snapshotOf(body: unknown): Snapshot | undefined {
  return (body as { trueup?: Snapshot }).trueup;
}

describe.each(Object.entries(HOUSES))("the openai client %s", (_, open) => {
  let house: House;
  beforeAll(async () => {
    house = await open();
  });
  afterAll(() => house.stop());

  /** A client as anybody would make it, and a count of the requests that it sent. */
  async function newClient() {
    const { account, token } = await visitor(house);
    const sent: string[] = [];
    const client = new OpenAI({
      apiKey: token,
      baseURL: `${house.server.url}/v1`,
      fetch: (input, init) => {
        sent.push(String(input));
        return fetch(input, init);
      },
    });
    return { account, token, client, sent };
  }

  test("streams, and the last chunk carries usage and snapshot", async () => {
    const { account, token, client } = await newClient();
    const { data: stream, response } = await client.chat.completions
      .create({ ...SHORT, stream: true })
      .withResponse();
    let text = "";
    let finish: string | null = null;
    let last: OpenAI.ChatCompletionChunk | undefined;
    for await (const chunk of stream) {
      last = chunk;
      expect(chunk.object).toBe("chat.completion.chunk");
      expect(chunk.model).toBe("gpt-5");
      text += chunk.choices[0]?.delta.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    expect(text).toMatch(/^This is gpt-5, about /);
    expect(finish).toBe("length");
    expect(last?.choices).toEqual([]);
    expect(last?.usage?.completion_tokens).toBe(6);
    const snapshot = snapshotOf(last);
    expect(snapshot?.account).toBe(account);
    expect(snapshot?.meters.premium_messages).toMatchObject({ used: 1, held: 0 });
    expect(snapshot?.operations).toMatchObject([{ state: "settled", cause: "finished" }]);

    const conversation = response.headers.get("trueup-conversation");
    expect(await house.server.messages(token, String(conversation))).toMatchObject([
      { role: "user", content: HELLO.content, model: null },
      { role: "assistant", content: text, model: "gpt-5" },
    ]);
  });

  test("puts a stream together with its own helper", async () => {
    const { client } = await newClient();
    const stream = client.chat.completions.stream({
      ...SHORT,
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toMatch(/^This is gpt-5/);
    expect((await stream.totalUsage()).completion_tokens).toBe(6);
  });

  test("reads an answer that is not streamed", async () => {
    const { client } = await newClient();
    const completion = await client.chat.completions.create(SHORT);
    expect(completion.object).toBe("chat.completion");
    expect(completion.choices[0]?.message.role).toBe("assistant");
    expect(completion.choices[0]?.finish_reason).toBe("length");
    expect(completion.usage?.completion_tokens).toBe(6);
    expect(snapshotOf(completion)?.meters.premium_messages).toMatchObject({ used: 1, held: 0 });
  });

  test("is refused at the limit by an error it knows, and does not try again", async () => {
    const { client, sent } = await newClient();
    for (let count = 0; count < PREMIUM_LIMIT; count += 1) {
      await client.chat.completions.create({ ...SHORT, max_completion_tokens: 1 });
    }
    const before = sent.length;
    const refused = client.chat.completions.create({ ...SHORT, stream: true });
    const error = await refused.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({
      status: 402,
      code: "usage_limit_exceeded",
      type: "insufficient_quota",
    });
    expect(sent.length - before).toBe(1);
  });

  test("finds no model that is not in the catalog", async () => {
    const { client } = await newClient();
    const asked = client.chat.completions.create({ ...SHORT, model: "gpt-4" });
    const error = await asked.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: "unknown_model", param: "model" });
  });

  test("is told inside the stream when the model fails in its middle", async () => {
    const { token, client } = await newClient();
    await house.server.setFaults(token, { fail_after_token: true });
    const stream = await client.chat.completions.create({ ...SHORT, stream: true });
    let text = "";
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    })();
    const error = await reading.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ code: "provider_failed" });
    expect(text).not.toBe("");
    const usage = await house.server.usage(token);
    expect(usage.meters.premium_messages).toMatchObject({ used: 0, held: 0 });
  });

  test("gets the fallback's answer at the fallback's price", async () => {
    const { token, client } = await newClient();
    await house.server.setFaults(token, { fallback: true });
    const completion = await client.chat.completions.create(SHORT);
    expect(completion.model).toBe("gpt-5-mini");
    const snapshot = snapshotOf(completion);
    expect(snapshot?.meters.premium_messages).toMatchObject({ used: 0, held: 0 });
    expect(snapshot?.meters.standard_messages).toMatchObject({ used: 1, held: 0 });
    expect(snapshot?.operations).toMatchObject([
      { cause: "fallback", charged: { standard_messages: 1 } },
    ]);
  });

  test("pays for what it was given before it stopped listening", async () => {
    const { token, client } = await newClient();
    const stream = await client.chat.completions.create({ ...SHORT, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    stream.controller.abort();
    await expect
      .poll(() => house.server.usage(token))
      .toMatchObject({
        meters: { premium_messages: { used: 1, held: 0 } },
      });
  });
});
