// Builds the package: ESM for every runtime (the core), for Node, and the types; prints what the core weighs.
import { execFileSync } from "node:child_process";
import { chmod, readFile, rm } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { esbuildPlugin } from "./shaders/reflect.mjs";

const quiet = process.argv.includes("--quiet"); // the demo's build: no types, nothing printed
const kilobyte = 1000;
const largestCore = 108 * kilobyte; // gzipped; of which the data stream 5, augmentation 5, the tuner 2.5, kernels for first layers and few rows 8, fused blocks 17, evaluation and liveness 5, matching and calibration 5, views, towers, edges, histograms, whitening and centring 5, alignment 2.5

await rm("dist", { recursive: true, force: true });
const options = {
  bundle: true,
  format: "esm",
  target: "es2022",
  plugins: [esbuildPlugin({ stripComments: true })],
  logLevel: "warning",
};
await build({ ...options, entryPoints: { index: "src/index.ts" }, outdir: "dist", platform: "neutral", minify: true });
const web = { "web/index": "src/web/index.ts", "web/decoder.worker": "src/web/decoder.worker.ts" };
await build({ ...options, entryPoints: web, outdir: "dist", minify: true });
await build({
  ...options,
  entryPoints: { "node/index": "src/node/index.ts", "node/cli": "src/cli/cli.ts" },
  outdir: "dist",
  platform: "node",
  packages: "external",
  splitting: true, // the command line and the library share their modules
  chunkNames: "node/[name]-[hash]",
});
await chmod("dist/node/cli.js", 0o755);

if (!quiet) {
  execFileSync(process.execPath, ["shaders/reflect.mjs", "--types"], { stdio: "inherit" });
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "src/tsconfig.json"], { stdio: "inherit" });
  const size = gzipSync(await readFile("dist/index.js")).length;
  console.log(`core: ${(size / kilobyte).toFixed(1)} KB gzipped (at most ${largestCore / kilobyte} KB)`);
  if (size > largestCore) process.exitCode = 1;
}
