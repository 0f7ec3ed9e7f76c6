/**
 * The same as `trueup`, without the WebAssembly module: you say where it is. Serve
 * `trueup/trueup.wasm` as a file.
 *
 * @packageDocumentation
 */

import { compile, type WasmSource } from "./compile.js";
import { createFromModule } from "./create.js";
import type { Trueup, TrueupOptions } from "./types.js";

export type { WasmSource } from "./compile.js";
export * from "./public.js";

/** What `createTrueup` needs to know when the module is not inside. */
export interface SlimTrueupOptions extends TrueupOptions {
  /** The module `trueup/trueup.wasm`: its address, a response with it, its bytes, or compiled. */
  readonly wasm: WasmSource | Promise<WasmSource>;
}

/**
 * Starts tracking usage for this page with the module that `wasm` gives. Resolves when the first
 * figures are there, or when it is clear that the visitor is anonymous or the server out of reach.
 *
 * @throws TrueupError `invalid_config` for a wrong option, `wasm_failed` when the module cannot be
 * loaded or run (a content security policy needs `'wasm-unsafe-eval'`)
 */
export async function createTrueup(options: SlimTrueupOptions): Promise<Trueup> {
  return createFromModule(await compile(options.wasm), options);
}
