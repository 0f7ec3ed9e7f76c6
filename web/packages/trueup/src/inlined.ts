import { compile } from "./compile.js";
import { ALPHABET, MODULE_TEXT } from "./wasm/dist/inline.js";

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the module that is part of this file, once for all clients of a page. */
export function compileInlined(): Promise<WebAssembly.Module> {
  compiled ??= compile(Uint8Array.from(MODULE_TEXT, (letter) => ALPHABET.indexOf(letter)));
  return compiled;
}
