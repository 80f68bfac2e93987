// @ts-check
// Runs a program in TypeScript: bundles it into build/, with the shaders that it imports, and loads the bundle in this
// process, so that its exit status, its signals and its output are this one's.
//
//   node scripts/run.mjs PROGRAM.ts [ARGUMENTS...]
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { esbuildPlugin } from "../shaders/reflect.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = path.relative(root, path.resolve(process.argv[2] ?? root));
if (program === "" || program.startsWith("..") || path.isAbsolute(program)) {
  console.error("usage: node scripts/run.mjs PROGRAM.ts [ARGUMENTS...], where PROGRAM.ts is a file of the repository");
  process.exit(2);
}

// Inside the repository, where packages resolve, and as deep below build/ as the program lies below the root.
const outfile = path.join(root, "build", program.replace(/\.ts$/, ".mjs"));
try {
  await build({
    entryPoints: [path.join(root, program)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    plugins: [esbuildPlugin()],
    logLevel: "error",
  });
} catch {
  process.exit(1); // esbuild has printed why
}
process.argv.splice(1, 2, outfile); // what the program reads its arguments from
await import(pathToFileURL(outfile).href);
