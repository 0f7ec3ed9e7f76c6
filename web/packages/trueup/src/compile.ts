import { TrueupError } from "./errors.js";

/**
 * Where the WebAssembly module comes from: its address, a response with it, its bytes, or the
 * compiled module. (TypeScript's `WebAssembly.Module` alone would take a string for one.)
 */
export type WasmSource = URL | Response | BufferSource | (WebAssembly.Module & object);

/** Compiles the module, or throws a {@link TrueupError} with code `wasm_failed`. */
export async function compile(
  source: WasmSource | Promise<WasmSource>,
): Promise<WebAssembly.Module> {
  try {
    return await compileSource(await source);
  } catch (error) {
    throw new TrueupError("wasm_failed", "failed to load the WebAssembly module", {
      cause: error,
    });
  }
}

async function compileSource(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof URL) return compileSource(await fetch(source));
  if (!(source instanceof Response)) return WebAssembly.compile(source);
  if (!source.ok) throw new Error(`${source.url} answered ${source.status}`);
  // Not by streaming: that refuses servers which do not know the type of .wasm files, and the
  // module is small.
  return WebAssembly.compile(await source.arrayBuffer());
}
