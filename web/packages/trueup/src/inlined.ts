import { compile } from "./compile.js";
import { COMMON, LETTERS, MODULE_TEXT } from "./wasm/dist/inline.js";

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the module that is part of this file, once for all clients of a page. */
export function compileInlined(): Promise<WebAssembly.Module> {
  compiled ??= compile(Uint8Array.from(bytes()));
  return compiled;
}

/** What `build/glue.js` spelt: a letter for a common byte, a shift and a letter for a rare one. */
function* bytes(): Generator<number> {
  let quarter: number | undefined;
  for (const letter of MODULE_TEXT) {
    const at = LETTERS.indexOf(letter);
    if (quarter !== undefined) {
      yield quarter * 64 + at;
      quarter = undefined;
    } else if (at < COMMON.length) {
      yield COMMON[at] as number;
    } else if (at < COMMON.length + 4) {
      quarter = at - COMMON.length;
    } else {
      yield letter.charCodeAt(0);
    }
  }
}
