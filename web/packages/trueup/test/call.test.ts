import { describe, expect, test } from "vitest";
import { Origins, readCall } from "../src/call.js";

const origins = new Origins({
  baseUrl: "https://usage.example.com/trueup/",
  origins: ["https://api.example.com"],
  getToken: () => null,
});
const URL_OF_CHAT = "https://usage.example.com/v1/chat/completions";
const body = JSON.stringify({ model: "gpt-5", messages: [] });

describe("a chat call is", () => {
  test.each<[string, RequestInfo | URL, RequestInit | undefined]>([
    ["a POST that names a model", URL_OF_CHAT, { method: "POST", body }],
    ["the same by URL object", new URL(URL_OF_CHAT), { method: "POST", body }],
    ["the same in small letters", URL_OF_CHAT, { method: "post", body }],
    ["one to a known origin", "https://api.example.com/chat", { method: "POST", body }],
    [
      "a request object",
      new Request(URL_OF_CHAT, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/json" },
      }),
      undefined,
    ],
    [
      "a request object with another body",
      new Request(URL_OF_CHAT, { method: "POST", body: "{}" }),
      { body },
    ],
  ])("%s", async (_, input, init) => {
    expect(await readCall(input, init, origins)).toMatchObject({ model: "gpt-5" });
  });
});

test.each<[string, RequestInfo | URL, RequestInit]>([
  ["a body without a model", URL_OF_CHAT, { method: "POST", body: '{"prompt":"cat"}' }],
  ["a form", URL_OF_CHAT, { method: "POST", body: new FormData() }],
  ["a PUT", URL_OF_CHAT, { method: "PUT", body }],
  ["a GET", URL_OF_CHAT, {}],
  ["a request object", new Request(URL_OF_CHAT, { method: "POST", body: "cat" }), {}],
])("a call that is given its operation is followed, whatever it is: %s", async (_, input, init) => {
  const headers = { "trueup-operation": "0197" };
  const call = await readCall(input, { ...init, headers }, origins);
  expect(call?.headers.get("Trueup-Operation")).toBe("0197");
});

describe("no chat call is", () => {
  test.each<[string, RequestInfo | URL, RequestInit | undefined]>([
    ["a GET", URL_OF_CHAT, undefined],
    ["a PUT", URL_OF_CHAT, { method: "PUT", body }],
    ["one without a body", URL_OF_CHAT, { method: "POST" }],
    ["one without a model", URL_OF_CHAT, { method: "POST", body: '{"messages":[]}' }],
    ["one whose model is no text", URL_OF_CHAT, { method: "POST", body: '{"model":5}' }],
    ["one with a model further down", URL_OF_CHAT, { method: "POST", body: '{"a":{"model":"x"}}' }],
    ["null", URL_OF_CHAT, { method: "POST", body: 'null /* "model" */' }],
    ["broken JSON", URL_OF_CHAT, { method: "POST", body: '{"model":"gpt-5"' }],
    ["a form", URL_OF_CHAT, { method: "POST", body: new URLSearchParams({ model: "gpt-5" }) }],
    ["bytes", URL_OF_CHAT, { method: "POST", body: new TextEncoder().encode(body) }],
    ["one to an origin that is not known", "https://api.openai.com/v1", { method: "POST", body }],
    [
      "one with an operation to such an origin",
      "https://api.openai.com/v1",
      { method: "POST", body, headers: { "trueup-operation": "0197" } },
    ],
    ["one to no address", "http://", { method: "POST", body }],
    ["a request object that is no JSON", new Request(URL_OF_CHAT, { method: "POST", body }), {}],
  ])("%s", async (_, input, init) => {
    expect(await readCall(input, init, origins)).toBeUndefined();
  });
});

test("reading a request object leaves its body to be sent", async () => {
  const headers = { "Content-Type": "application/json" };
  const request = new Request(URL_OF_CHAT, { method: "POST", body, headers });
  await readCall(request, undefined, origins);
  expect(await request.text()).toBe(body);
});
