// Bundles the driver, which is TypeScript and shares types with the page, and runs it.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildPlugin } from "../shaders/reflect.mjs";

const outfile = fileURLToPath(new URL("../build/bench/main.mjs", import.meta.url));
await build({
  entryPoints: [fileURLToPath(new URL("main.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  logLevel: "error",
  plugins: [esbuildPlugin()], // the pipeline suite trains in this process
});
await import(outfile);
