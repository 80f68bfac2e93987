// @ts-check
// The web page: static files for any host, which need no header of their own.
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { esbuildPlugin } from "../../shaders/reflect.mjs";

/** Files beside the scripts. */
const files = ["index.html", "icon.svg", "recorded-run.json"];

/** @param {string} folder @returns {Promise<import("esbuild").Metafile>} */
export async function buildStudio(folder) {
  const { metafile } = await build({
    entryPoints: {
      studio: "src/studio/page/main.tsx",
      worker: "src/studio/worker/main.ts",
      decoder: "src/web/decoder.worker.ts",
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    define: { global: "globalThis" }, // facesjs asks it whether there is a document
    jsx: "automatic",
    jsxImportSource: "preact",
    chunkNames: "chunks/[name]-[hash]",
    logLevel: "warning",
    metafile: true,
    plugins: [esbuildPlugin({ minify: true })],
  });
  for (const file of files) await copyFile(`src/studio/${file}`, path.join(folder, file));
  return metafile;
}
