// The module is typed by hand: this holds the types against what wasm-bindgen wrote.

import { expectTypeOf, test } from "vitest";
import type { Client } from "../src/wasm/trueup_wasm.js";
import type { WasmClient, WasmClientClass } from "../src/wasm-module.js";

test("the class in the module is the one that is used", () => {
  expectTypeOf<typeof Client>().toExtend<WasmClientClass>();
  expectTypeOf<Exclude<keyof Client, symbol>>().toEqualTypeOf<keyof WasmClient>();
});
