// One esbuild bundle of all suites for each kind of host.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildPlugin } from "../../../shaders/reflect.mjs";

/** The text of a bundle of `entry` of this folder. */
export async function bundle(entry: "page" | "stdio" | "crash"): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`${entry}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: entry === "stdio" ? "esm" : "iife",
    platform: entry === "stdio" ? "node" : "browser",
    target: "es2022",
    sourcemap: "inline",
    external: ["webgpu"],
    plugins: [esbuildPlugin()],
    ignoreAnnotations: true, // the package is free of side effects; the suites, which register themselves, are not
    logLevel: "silent",
  });
  return result.outputFiles[0].text;
}
