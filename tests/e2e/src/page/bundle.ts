import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The script that records inside the page, as one text. */
export async function bundleRecorder(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("main.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
  });
  return outputFiles[0]?.text ?? "";
}
