// npm run build: everything in dist except the type declarations, which tsc adds.

import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { MODULE, writeGlue } from "./glue.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
rmSync("dist", { recursive: true, force: true });
writeGlue();

await build({
  entryPoints: [
    "src/index.ts",
    "src/slim.ts",
    "src/react/index.ts",
    "src/react.css",
    "src/tanstack-query/index.ts",
  ],
  outbase: "src",
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome103", "firefox113", "safari16.4"],
  minify: true,
  // The module is spelt in letters of UTF-8, which is what every ES module is read as.
  charset: "utf8",
  legalComments: "none",
  external: ["react", "react/jsx-runtime"],
  jsx: "automatic",
  logLevel: "warning",
});
copyFileSync(MODULE, "dist/trueup.wasm");
