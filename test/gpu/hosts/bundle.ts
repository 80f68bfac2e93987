// One esbuild bundle of all suites for each kind of host.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildPlugin } from "../../../shaders/reflect.mjs";

const folder = new URL("../../../build/test/", import.meta.url);

/** Bundles `entry` of this folder; returns the text, which for processes is also written to the file returned. */
export async function bundle(entry: "page" | "stdio"): Promise<{ text: string; file: string }> {
  const file = fileURLToPath(new URL(`${entry}-${process.pid}.mjs`, folder));
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`${entry}.ts`, import.meta.url))],
    outfile: file,
    bundle: true,
    write: entry === "stdio",
    format: entry === "page" ? "iife" : "esm",
    platform: entry === "page" ? "browser" : "node",
    target: "es2022",
    sourcemap: "inline",
    external: ["webgpu"],
    plugins: [esbuildPlugin()],
    logLevel: "silent",
  });
  return { text: result.outputFiles?.[0].text ?? "", file };
}
