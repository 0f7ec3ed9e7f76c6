import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createTrueup } from "../src/slim.js";

const bytes = readFileSync(new URL("../src/wasm/dist/trueup.wasm", import.meta.url));

describe("trueup/slim takes the module as", () => {
  const response = (): Response => new Response(bytes);
  test.each([
    ["bytes", () => bytes],
    ["a buffer", () => Uint8Array.from(bytes).buffer],
    ["a compiled module", () => new WebAssembly.Module(bytes)],
    ["a response", response],
    ["a promise of a response", async () => response()],
    ["an address", () => new URL(`data:application/wasm;base64,${bytes.toString("base64")}`)],
  ])("%s", async (_, wasm) => {
    const usage = await createTrueup({ wasm: wasm(), getToken: () => null, storage: false });
    onTestFinished(() => usage.stop());
    expect(usage.getSnapshot().status).toBe("anonymous");
  });
});

describe("trueup/slim refuses", () => {
  test.each([
    ["an error page", async () => new Response("not here", { status: 404 })],
    ["what is no module", () => new TextEncoder().encode("<!doctype html>")],
    ["a failed fetch", () => Promise.reject(new TypeError("fetch failed"))],
    ["nothing", () => undefined],
  ])("%s", async (_, wasm) => {
    const started = createTrueup({ wasm: wasm() as never, getToken: () => null });
    await expect(started).rejects.toMatchObject({ name: "TrueupError", code: "wasm_failed" });
    await expect(started).rejects.toHaveProperty("cause", expect.any(Error));
  });
});

test("the inlined module is the same, and is compiled once for a page", async () => {
  const compile = vi.spyOn(WebAssembly, "compile");
  const { compileInlined } = await import("../src/inlined.js");
  expect(await compileInlined()).toBe(await compileInlined());
  expect(compile).toHaveBeenCalledTimes(1);
  expect(bytes.equals(compile.mock.calls[0]?.[0] as Uint8Array)).toBe(true);
});
