import { defineConfig } from "vite";

/** The operator's web pages: one hashed bundle that needs no network beyond its own server. */
export default defineConfig({
  root: "src/present/web",
  base: "/",
  publicDir: "public",
  build: {
    outDir: "../../../dist/web",
    emptyOutDir: true,
    target: "es2023",
    // Inlined assets would be data: URLs, which the content security policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": "http://127.0.0.1:4400" } },
});
