// Builds the two packages that are published: dist/twingrad, the library, and dist/cli, the command line on top of it; and
// dist/studio, the web page; dist/cli has a copy to serve.
// `--quiet` is the demo's build: the same code without types, notices and checks.

import { chmod, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { libraryManifest, programManifest, writeManifest } from "./scripts/packages/manifests.mjs";
import { writeNotices } from "./scripts/packages/notices.mjs";
import { buildStudio } from "./scripts/packages/studio.mjs";
import { writeTypes } from "./scripts/packages/types.mjs";
import { esbuildPlugin } from "./shaders/reflect.mjs";

const quiet = process.argv.includes("--quiet");
const library = "dist/twingrad";
const program = "dist/cli";
const studio = "dist/studio";

await rm("dist", { recursive: true, force: true });
const options = {
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  chunkNames: "chunks/[name]-[hash]",
  logLevel: "warning",
  metafile: true,
};

/**
 * Packages that name Node's modules as `fs` would have them looked up in a page's bundle. What one of them requires besides,
 * within a function that nothing here calls (papaparse's stream), is left empty.
 */
const builtins = {
  name: "builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${builtinModules.join("|")})$`) }, ({ path, kind }) =>
      kind === "require-call" ? { path, namespace: "empty" } : { path: `node:${path}`, external: true },
    );
    onLoad({ filter: /./, namespace: "empty" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** fdir, within tinyglobby, tries for a package that nothing here has it use, which users' bundlers would warn of. */
const withoutPicomatch = {
  name: "without-picomatch",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]fdir[\\/]dist[\\/]index\.mjs$/ }, async ({ path }) => {
      const code = await readFile(path, "utf8");
      const contents = code.replace(/try \{\s*__require\.resolve\("picomatch"\);.*?\} catch \{\}/s, "");
      if (contents === code) throw new Error(`${path} asks for picomatch in another way than it did.`);
      return { contents };
    });
  },
};

// All entries in one build: what two of them share is one file, so that a class or an error is the same one in both.
const built = await build({
  ...options,
  // In this order similar shaders lie near each other in a page's bundle, within the reach of gzip.
  entryPoints: {
    index: "src/index.ts",
    "exchange/index": "src/exchange/index.ts",
    internal: "src/internal.ts",
    "node/index": "src/node/index.ts",
    "web/index": "src/web/index.ts",
    "web/decoder.worker": "src/web/decoder.worker.ts",
  },
  outdir: library,
  platform: "neutral", // a page, a worker, Node, Deno, Bun
  mainFields: ["module", "main"],
  external: ["node:*", "webgpu", "sharp", "koffi"], // peers, loaded when first needed
  plugins: [esbuildPlugin({ minify: true }), builtins, withoutPicomatch],
});

// A file that takes nothing of another but its evaluation imports it bare. Nothing here has effects when it is loaded, as the
// package says of itself ("sideEffects"), and users' bundlers warn of such a line.
for (const file of Object.keys(built.metafile.outputs)) {
  const code = await readFile(file, "utf8");
  await writeFile(file, code.replace(/^import "\.[^"]*";\n/gm, ""));
}

const doors = new Map(
  Object.entries({
    index: "twingrad",
    "node/index": "twingrad/node",
    "exchange/index": "twingrad/exchange",
    internal: "twingrad/internal",
  }).map(([entry, name]) => [fileURLToPath(new URL(`src/${entry}.ts`, import.meta.url)), name]),
);
const cli = await build({
  ...options,
  entryPoints: { cli: "src/cli/cli.ts" },
  outdir: program,
  platform: "node",
  packages: "external",
  plugins: [
    {
      name: "library",
      setup({ onResolve, resolve }) {
        onResolve({ filter: /\/(index|internal)\.ts$/ }, async ({ path, pluginData, ...rest }) => {
          if (pluginData === "resolved") return undefined;
          const { path: file } = await resolve(path, { ...rest, pluginData: "resolved" });
          const name = doors.get(file);
          return name ? { path: name, external: true } : undefined;
        });
      },
    },
  ],
});
await chmod(`${program}/cli.js`, 0o755);

const page = await buildStudio(studio);
await cp(studio, `${program}/studio`, { recursive: true });

await writeManifest(library, await libraryManifest(), "README.md");
await writeManifest(program, await programManifest(cli.metafile), "src/cli/README.md");
// In the repository the command line finds the library as an installed one would; npm packs no node_modules.
await mkdir(`${program}/node_modules`);
await symlink("../../twingrad", `${program}/node_modules/twingrad`, "junction");

if (!quiet) {
  await writeTypes(library);
  await writeNotices(library, built.metafile);
  await writeNotices(program, cli.metafile);
  for (const folder of [studio, `${program}/studio`]) await writeNotices(folder, page);
}
