import { join } from "node:path";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import webpack from "webpack";

/** Bundles `entry` of a project for browsers; gives the file it made, relative to the project. */
export type Bundler = (folder: string, entry: string) => Promise<string>;

/** Bundlers as they come: no plugin, no rule, nothing said about WebAssembly. */
export const BUNDLERS: Readonly<Record<string, Bundler>> = {
  async vite(folder, entry) {
    await vite({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: {
        outDir: "vite",
        target: "es2022",
        modulePreload: false,
        rollupOptions: { input: join(folder, entry), output: { entryFileNames: "app.js" } },
      },
    });
    return "vite/app.js";
  },

  async webpack(folder, entry) {
    const compiler = webpack({
      mode: "production",
      context: folder,
      entry: `./${entry}`,
      target: ["web", "es2022"],
      output: { path: join(folder, "webpack"), filename: "app.js", module: true },
      experiments: { outputModule: true },
    });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => {
        if (error) reject(error);
        else if (stats?.hasErrors() || stats?.hasWarnings()) reject(new Error(stats.toString()));
        else resolve();
      });
    });
    return "webpack/app.js";
  },

  async esbuild(folder, entry) {
    await esbuild({
      absWorkingDir: folder,
      entryPoints: [entry],
      outfile: "esbuild/app.js",
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      logLevel: "error",
    });
    return "esbuild/app.js";
  },
};
