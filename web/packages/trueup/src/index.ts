/**
 * Usage quotas in the browser: an estimate at once, the server's actual as soon as it is known,
 * and never a wrong number in between. The WebAssembly module is inside; see `trueup/slim` to
 * serve it as a file of its own.
 *
 * @packageDocumentation
 */

import { createFromModule } from "./create.js";
import { compileInlined } from "./inlined.js";
import type { Trueup, TrueupOptions } from "./types.js";

export * from "./public.js";

/**
 * Starts tracking usage for this page. Resolves when the first figures are there, or when it is
 * clear that the visitor is anonymous or the server out of reach.
 *
 * @throws TrueupError `invalid_config` for a wrong option, `wasm_failed` where WebAssembly cannot
 * run (a content security policy needs `'wasm-unsafe-eval'`)
 */
export async function createTrueup(options: TrueupOptions): Promise<Trueup> {
  return createFromModule(await compileInlined(), options);
}
