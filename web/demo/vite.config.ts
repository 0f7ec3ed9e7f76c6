import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8787";

export default defineConfig({
  // The server serves the page at any path: every asset is named relative to the page.
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    // The first browsers with light-dark(), which the colours are written in.
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    // Inlined assets would need `data:` in the page's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What seldom changes keeps its name, and so its place in the browser's cache.
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
            { name: "query", test: /node_modules[\\/](@tanstack|immer)[\\/]/ },
            { name: "trueup", test: /packages[\\/]trueup[\\/]/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: { "/v1": server, "/demo": server },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts"],
  },
});
