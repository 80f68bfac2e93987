// @ts-check
// The published declarations: core.d.ts has those of the core, and each entry a file of what it exports and adds.
import { spawnSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";

/** Entries without exports. */
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
    // esbuild.config.mjs puts the version in place of this module: no declaration refers to it.
    onwarn: (warning, warn) => void (warning.exporter === "twingrad:build" || warn(warning)),
    plugins: [dts()],
  });
  await bundle.write({
    dir: folder,
    entryFileNames: "[name].d.ts",
    chunkFileNames: "[name].ts",
    manualChunks: (id) => (/[\\/]declarations[\\/](index|node|web|exchange)\b/.test(id) ? undefined : "core.d"),
    minifyInternalExports: false, // files import from one another by public names
  });
  await bundle.close();
  for (const [entry, text] of Object.entries(untyped)) await writeFile(path.join(folder, `${entry}.d.ts`), text);
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".d.ts"));
  await Promise.all(files.map((name) => declareWebGpu(path.join(folder, name))));
}

/** Runs a Node program; if it fails, it has printed why, and the build ends. @param {string[]} command */
function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Declares each GPU type that a file mentions as the type of that name in the importing program, where there is one
 * (from a new TypeScript's lib.dom, or from @webgpu/types), so that the package needs neither of them and works with
 * both.
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
