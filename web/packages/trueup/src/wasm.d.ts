// What build/glue.js makes of wasm-bindgen's output.

declare module "*/wasm/dist/glue.js" {
  /** A fresh instance with memory of its own. `guard` may replace its exports. */
  export function instantiate(
    module: WebAssembly.Module,
    guard: (exports: WebAssembly.Exports) => WebAssembly.Exports,
  ): import("./wasm-module.js").WasmInstance;
}

declare module "*/wasm/dist/inline.js" {
  /** The letters of the bytes 0 to 255. */
  export const ALPHABET: string;
  /** The module, a letter for each byte. */
  export const MODULE_TEXT: string;
}
