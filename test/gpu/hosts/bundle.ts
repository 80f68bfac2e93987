// One esbuild bundle of all suites per kind of host.

import { join } from "node:path";
import { build } from "esbuild";
import { esbuildPlugin } from "../../../shaders/reflect.mjs";
import { pageScript } from "../../bundle.ts";

/** The text of a bundle of `entry` of this folder. */
export async function bundle(entry: "page" | "stdio" | "crash"): Promise<string> {
  const file = join(import.meta.dirname, `${entry}.ts`);
  if (entry !== "stdio") return pageScript(file);
  const result = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: "inline",
    external: ["webgpu"],
    plugins: [esbuildPlugin()],
    ignoreAnnotations: true, // the package is free of side effects; the suites, which register themselves, are not
    logLevel: "error",
  });
  return result.outputFiles[0].text;
}
