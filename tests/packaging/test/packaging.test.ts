import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUNDLERS } from "../src/bundlers.ts";
import { Reader } from "../src/reader.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** What every app of the visitor prints: one of five messages is on its way. */
const ONE_OF_FIVE = JSON.stringify({ allowed: true, used: 1, remaining: 4 });

let reader: Reader;
beforeAll(async () => {
  reader = await Reader.start();
});
afterAll(() => reader?.stop());

describe("the packed package", () => {
  test("holds what is loaded and its description, and nothing else", () => {
    const expected = /^(dist\/.+\.(js|d\.ts|css|wasm)|README\.md|LICENSE[\w-]*|package\.json)$/;
    expect(reader.packed.filter((path) => !expected.test(path))).toEqual([]);
  });

  test.each(["LICENSE-MIT", "LICENSE-APACHE"])("carries the repository's %s", async (name) => {
    const packed = await readFile(join(reader.folder, "node_modules/trueup", name), "utf8");
    expect(packed).toBe(await readFile(join(ROOT, name), "utf8"));
  });

  test("has every file that its entries name", async () => {
    const manifest = join(reader.folder, "node_modules/trueup/package.json");
    const { exports } = JSON.parse(await readFile(manifest, "utf8"));
    const named = Object.values(exports as Record<string, string | Record<string, string>>)
      .flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))
      .map((path) => path.slice("./".length));
    expect(named.filter((path) => !reader.packed.includes(path))).toEqual([]);
  });
});

describe("installed by a reader, it runs", () => {
  test("in Node", async () => {
    expect(await reader.node("visitor.js")).toBe(ONE_OF_FIVE);
  });

  test("in Node, with the module as a file of its own", async () => {
    expect(await reader.node("slim.js")).toBe(ONE_OF_FIVE);
  });

  test("in a worker", async () => {
    expect(await reader.node("worker.js")).toBe(ONE_OF_FIVE);
  });

  test.each(Object.entries(BUNDLERS))("bundled by %s", async (_, bundle) => {
    expect(await reader.node(await bundle(reader.folder, "visitor.js"))).toBe(ONE_OF_FIVE);
  });

  test("rendered by React on a server, where no visitor's figures are known", async () => {
    await reader.add("react", "react-dom");
    expect(await reader.node("react.js")).toBe("nothing known yet");
  });
});

describe("its types hold", () => {
  beforeAll(() => reader.add("@types/react"));

  test.each([
    ["as Node resolves modules", ["--module", "nodenext"]],
    ["as bundlers resolve modules", ["--module", "esnext", "--moduleResolution", "bundler"]],
  ])("%s", async (_, flags) => {
    expect(await reader.typecheck("types.ts", ...flags)).toBe("");
  });
});
