import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const lit = readFileSync(new URL("node_modules/lit/LICENSE", import.meta.url), "utf8");

export default defineConfig({
  build: {
    target: "es2022",
    outDir: "../custom_components/pimqtt/frontend",
    emptyOutDir: false,
    lib: { entry: "src/index.ts", formats: ["es"], fileName: () => "pimqtt.js" },
    rolldownOptions: {
      output: {
        // A library build keeps its white space otherwise; the licence of what we bundle has to stay.
        minify: { codegen: true, compress: true, mangle: true },
        postBanner: `/*! pimqtt, Apache-2.0. Contains Lit:\n${lit}*/`,
      },
    },
  },
  server: { fs: { allow: [".."] } }, // a test reads the README
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    coverage: { include: ["src/**"], reportsDirectory: "node_modules/.coverage" },
  },
});
