// Bundles audit.ts, which imports the operations and their shaders, and runs it.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildPlugin } from "../shaders/reflect.mjs";

const outfile = fileURLToPath(new URL("../build/bench/audit.mjs", import.meta.url));
await build({
  entryPoints: [fileURLToPath(new URL("audit.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  logLevel: "error",
  plugins: [esbuildPlugin()],
});
await import(outfile);
