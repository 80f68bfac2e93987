// Bundles the soak for Node and runs it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { esbuildPlugin } from "../../shaders/reflect.mjs";

const outfile = fileURLToPath(new URL("../../build/soak/test/soak/main.mjs", import.meta.url)); // inside, where packages resolve
await build({
  entryPoints: [fileURLToPath(new URL("main.ts", import.meta.url))],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  plugins: [esbuildPlugin()],
  logLevel: "error",
});
process.exit(spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1);
