// Bundles of the sources as they are, for tests that run in a page or in processes of their own.

import { mkdir } from "node:fs/promises";
import { build } from "esbuild";
import { esbuildPlugin } from "../shaders/reflect.mjs";

/** The text of a script for a page: the file `entry` with all that it imports. */
export async function pageScript(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    sourcemap: "inline",
    plugins: [esbuildPlugin()],
    ignoreAnnotations: true, // the package is free of side effects; entries, which set globals and register suites, are not
    logLevel: "error",
  });
  return result.outputFiles[0].text;
}

/**
 * Programs for Node: `name` becomes `<folder>/<name>.mjs`, in chunks as the package is. The folder lies in the
 * repository, where packages resolve.
 */
export async function buildPrograms(folder: string, entryPoints: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints,
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    plugins: [esbuildPlugin()],
    logLevel: "error",
  });
}
