// Turns wasm-bindgen's output in src/wasm into what this package loads, in src/wasm/dist:
// - trueup.wasm: the module, with short names for what it imports and exports.
// - glue.js: the bindings as a function. As wasm-bindgen writes them they are a module with one
//   instance for ever; after a trap a fresh instance is needed, and the old one's must not mix in.
// - inline.js: the module as text.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../src/wasm/", import.meta.url));
const TARGET = `${SOURCE}dist/`;
const INPUT = `${SOURCE}trueup_wasm_bg.wasm`;

/** What the compiler may use of WebAssembly: what every browser of the last years has. */
const FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];

/** The module to publish. */
export const MODULE = `${TARGET}trueup.wasm`;

/**
 * Gives imports and exports of one or two letters: their names are long and stand in the module
 * and in the bindings. Answers with what became of them.
 */
function shortenNames() {
  const wasmOpt = createRequire(import.meta.url).resolve("binaryen/bin/wasm-opt");
  const names = execFileSync(process.execPath, [
    wasmOpt,
    ...FEATURES.map((feature) => `--enable-${feature}`),
    "--minify-imports-and-exports-and-modules",
    INPUT,
    "-o",
    MODULE,
  ]);
  return JSON.parse(names.toString());
}

/** The bindings with the short names in the place of the long ones. */
function renameBindings(source, { imports, exports }) {
  const shortImports = new Map(imports.map(([, long, short]) => [long, short]));
  const shortExports = new Map(exports);
  const renamed = source
    .replace('"./trueup_wasm_bg.js": import0', '"a": import0')
    .replace(/^( +)(\w+)(?=: )/gm, (all, indent, long) =>
      shortImports.has(long) ? `${indent}"${shortImports.get(long)}"` : all,
    )
    .replace(/\bwasm\.(\w+)/g, (all, long) =>
      shortExports.has(long) ? `wasm["${shortExports.get(long)}"]` : all,
    );
  for (const long of shortImports.keys()) {
    if (renamed.includes(long)) throw new Error(`the bindings import ${long} in an unknown way`);
  }
  return renamed;
}

/**
 * What the bindings do for hosts older than the ones this package is built for (see build.js), for
 * callers that it does not have, and when memory runs out, which here is a trap: by name, with what
 * is left of it.
 */
const NEEDLESS = {
  FinalizationRegistry: [/\(typeof FinalizationRegistry === 'undefined'\)\s+\? .*\s+: /g, ""],
  encodeInto: [/^if \(!\('encodeInto' in \w+\)\) \{[\s\S]*?^\}$/m, ""],
  // The package frees its clients, every promise that the module waits for comes to an end, and a
  // trap leaves a whole instance behind.
  "new FinalizationRegistry": [/^const \w+ = new FinalizationRegistry.*$/gm, ""],
  "register(": [/^ +\w+\.(?:un)?register\(.*\);$/gm, ""],
  // Text goes in through its bytes, and not letter by letter first.
  "realloc === undefined": [
    /^ {4}if \(realloc === undefined\) \{([\s\S]*?)^ {4}\}$[\s\S]*?^\}$/m,
    "$1}",
  ],
  "realloc)": [/(passStringToWasm0\(\w+, [^,)]+), [^,)]+\)/g, "$1)"],
  detached: [
    /if \((\w+) === null \|\| .*\.detached .* !== (.*)\)\) \{$/m,
    "if ($1?.buffer !== $2) {",
  ],
  // Safari's decoders fail after two gigabytes: a fresh one for each of the short texts does not.
  cachedTextDecoder: [
    /^let cachedTextDecoder = (.*);$[\s\S]*?^(function decodeText.*)$[\s\S]*?^\}$/m,
    "$2 return $1.decode(bytes); }",
  ],
  "Symbol.dispose": [/^if \(Symbol\.dispose\) .*$/m, ""],
  ptr1: [/try (\{[^}]*\}) catch \(e\) \{\s+if \(ptr1\)[\s\S]*?throw e;\s+\}/g, "$1"],
  wasmModule: [/^ {4}wasm(Instance|Module) = .*$/gm, ""],
};

function leaveOutNeedless(bindings) {
  for (const [name, [pattern, rest]] of Object.entries(NEEDLESS)) {
    const without = bindings.replace(pattern, rest);
    if (without === bindings) throw new Error(`the bindings treat ${name} in an unknown way`);
    bindings = without;
  }
  return bindings;
}

/** The bindings (wasm-bindgen --target web) within a function that makes an instance. */
function wrapBindings(source) {
  // From here on wasm-bindgen fetches and compiles the module, which this package does itself.
  const loader = source.indexOf("async function __wbg_load(");
  const bindings = leaveOutNeedless(source.slice(0, loader))
    .replace(/^export (?=class |function )/gm, "")
    .replace(/^export \{[^}]*\};?$/gm, "");
  for (const needed of ["class Client", "__wbg_get_imports()", "function __wbg_finalize_init("]) {
    if (loader < 0 || !bindings.includes(needed)) {
      throw new Error(`this is not how wasm-bindgen 0.2.130 writes bindings: no "${needed}"`);
    }
  }
  if (/^(?:import|export) /m.test(bindings)) {
    throw new Error("the bindings import or export something that this script does not know");
  }
  return `export function instantiate(module, guard) {
${bindings}
const instance = new WebAssembly.Instance(module, __wbg_get_imports());
__wbg_finalize_init({ exports: guard(instance.exports) }, module);
return { Client };
}
`;
}

/** Printable ASCII that needs no escape in any kind of quotes, in a reader's bundle either. */
const LETTERS = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at)).filter(
  (letter) => !/["'`$\\]/.test(letter),
);
/** So many letters announce one of the rarer bytes, a quarter of all bytes each. */
const SHIFTS = 4;

/**
 * The module as text: one letter for each of the commoner bytes, two for the others. A common byte
 * that is a letter is spelt as itself. What a page pays for is the size after the server's
 * compression, and that still finds every repetition here: brotli makes it 15 % smaller than a
 * deflated module in base64.
 */
function spell(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte] += 1;
  const ranked = [...counts.keys()].sort((one, other) => counts[other] - counts[one]);
  const common = ranked.slice(0, LETTERS.length - SHIFTS).sort((one, other) => one - other);
  const letterOf = (byte) => String.fromCharCode(byte);
  const own = common.filter((byte) => LETTERS.includes(letterOf(byte))).map(letterOf);
  const others = common.filter((byte) => !own.includes(letterOf(byte)));
  const free = LETTERS.filter((letter) => !own.includes(letter)).reverse();
  const letters = [...free, ...own];

  const spelling = Array.from({ length: 256 }, (_, byte) => {
    if (own.includes(letterOf(byte))) return letterOf(byte);
    const at = others.indexOf(byte);
    return at < 0 ? letters[others.length + (byte >> 6)] + letters[byte & 63] : letters[at];
  });
  return {
    LETTERS: letters.join(""),
    COMMON: others,
    MODULE_TEXT: Array.from(bytes, (byte) => spelling[byte]).join(""),
  };
}

/** Writes the three files. */
export function writeGlue() {
  if (!existsSync(INPUT)) {
    throw new Error("src/wasm has no module: run 'scripts/wasm.sh build' in the root first");
  }
  mkdirSync(TARGET, { recursive: true });
  const names = shortenNames();
  const bindings = renameBindings(readFileSync(`${SOURCE}trueup_wasm.js`, "utf8"), names);
  writeFileSync(`${TARGET}glue.js`, wrapBindings(bindings));
  const constants = Object.entries(spell(readFileSync(MODULE)));
  const lines = constants.map(
    ([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`,
  );
  writeFileSync(`${TARGET}inline.js`, lines.join(""));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeGlue();
