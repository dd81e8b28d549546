import { defineConfig } from "vite";

export default defineConfig({ root: import.meta.dirname, cacheDir: "../node_modules/.vite-dev", server: { host: "127.0.0.1" } });
