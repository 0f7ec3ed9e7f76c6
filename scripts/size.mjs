// What a page pays for the package: every entry is bundled and minified as a reader's bundler would do it, without
// React, and compressed as a server would send it. Fails above the limit.
import { readFileSync, statSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const DIST = new URL("../web/packages/trueup/dist/", import.meta.url);
const LIMIT_KIB = 40;
const GOAL_KIB = 25;

// `bounded` entries are whole ways to load the package; the others come on top of one of them.
const ENTRIES = [
  { name: "trueup/slim + wasm", files: ["slim.js"], assets: ["trueup.wasm"], bounded: true },
  { name: "trueup (wasm inlined)", files: ["index.js"], assets: [], bounded: true },
  { name: "trueup/react, on top", files: ["react/index.js"], assets: [], bounded: false },
];

/** Bundles one entry; its own package's other entries stay outside, as do React and TanStack Query. */
async function minified(file) {
  const result = await build({
    entryPoints: [new URL(file, DIST).pathname],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["react", "react/jsx-runtime", "react-dom", "@tanstack/*"],
    logLevel: "error",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** Sizes of one entry. Each part is compressed by itself, because each is a response of its own. */
async function measure({ files, assets }) {
  const parts = await Promise.all(files.map(minified));
  parts.push(...assets.map((asset) => readFileSync(new URL(asset, DIST))));
  const total = (size) => parts.reduce((sum, part) => sum + size(part), 0);
  return {
    raw: total((part) => part.length),
    gzip: total((part) => gzipSync(part, { level: 9 }).length),
    brotli: total(
      (part) =>
        brotliCompressSync(part, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: part.length } })
          .length,
    ),
  };
}

const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`.padStart(10);

if (!statSync(DIST, { throwIfNoEntry: false })) {
  console.error("error: the package is not built; run './justw build' first");
  process.exit(1);
}

console.log(
  `${"entry".padEnd(24)}${["minified", "gzip", "brotli"].map((head) => head.padStart(10)).join("")}`,
);
let passed = 0;
let failed = 0;
for (const entry of ENTRIES) {
  const size = await measure(entry);
  let verdict = "";
  if (entry.bounded) {
    const fits = size.brotli <= LIMIT_KIB * 1024;
    verdict = fits
      ? `  within ${LIMIT_KIB} KiB`
      : `  ABOVE the limit of ${LIMIT_KIB} KiB brotli: make it smaller before anything else`;
    if (size.brotli <= GOAL_KIB * 1024) verdict = `  within the goal of ${GOAL_KIB} KiB`;
    if (fits) passed += 1;
    else failed += 1;
  }
  console.log(
    `${entry.name.padEnd(24)}${kib(size.raw)}${kib(size.gzip)}${kib(size.brotli)}${verdict}`,
  );
}
console.log(`size: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
