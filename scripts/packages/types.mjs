// @ts-check
// The published declarations: core.d.ts has those of the core, and each entry a file of what it exports and adds.
import { spawnSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";

/** Entries that nobody imports anything of. */
const untyped = {
  internal:
    '// What the command line of the same version uses. Programs use "twingrad", "twingrad/node" and "twingrad/web".\nexport {};\n',
  "web/decoder.worker":
    "// A worker's program: `new Worker(...)` starts it, see PageDecoderOptions.createWorker.\nexport {};\n",
};

/** @param {string} folder of the built library */
export async function writeTypes(folder) {
  run("shaders/reflect.mjs", "--types");
  const separate = "build/declarations";
  await rm(separate, { recursive: true, force: true });
  run("node_modules/typescript/bin/tsc", "-p", "src/tsconfig.json");
  const bundle = await rollup({
    input: {
      index: `${separate}/index.d.ts`,
      "node/index": `${separate}/node/index.d.ts`,
      "web/index": `${separate}/web/index.d.ts`,
      "exchange/index": `${separate}/exchange/index.d.ts`,
    },
    plugins: [dts()],
  });
  await bundle.write({
    dir: folder,
    entryFileNames: "[name].d.ts",
    chunkFileNames: "[name].ts",
    manualChunks: (id) => (/[\\/]declarations[\\/](index|node|web|exchange)\b/.test(id) ? undefined : "core.d"),
    minifyInternalExports: false, // files name what they take of one another as everybody does
  });
  await bundle.close();
  for (const [entry, text] of Object.entries(untyped)) await writeFile(path.join(folder, `${entry}.d.ts`), text);
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".d.ts"));
  await Promise.all(files.map((name) => declareWebGpu(path.join(folder, name))));
}

/** Runs a program of Node's; where it fails it has said why, and the build ends. @param {string[]} command */
function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Declares the GPU types that a file mentions as those of the program that imports it, where that has any (lib.dom of a new
 * TypeScript, or @webgpu/types), so that the package needs neither of them and fits both.
 * @param {string} file
 */
async function declareWebGpu(file) {
  const text = await readFile(file, "utf8");
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  const names = [...new Set(code.match(/\bGPU[A-Z]?\w*/g))].sort();
  const aliases = names.map(
    (name) => `type ${name} = typeof globalThis extends { ${name}: { prototype: infer T } } ? T : any;\n`,
  );
  await writeFile(file, aliases.join("") + text);
}
