// What build/glue.js makes of wasm-bindgen's output.

declare module "*/wasm/dist/glue.js" {
  /** A fresh instance with memory of its own. `guard` may replace its exports. */
  export function instantiate(
    module: WebAssembly.Module,
    guard: (exports: WebAssembly.Exports) => WebAssembly.Exports,
  ): import("./wasm-module.js").WasmInstance;
}

declare module "*/wasm/dist/inline.js" {
  /** Letters of common bytes, the four shifts, then the letters that stand for themselves. */
  export const LETTERS: string;
  /** The bytes that the first letters stand for. */
  export const COMMON: readonly number[];
  /** The module: a letter for each common byte, a shift and a letter for each other. */
  export const MODULE_TEXT: string;
}
