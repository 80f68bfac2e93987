// @ts-check
// package.json of the two published packages, from the repository's own: one version, one list of pinned dependencies.
import { copyFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** @typedef {import("esbuild").Metafile} Metafile */

const root = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));

/** What each other package is for; Node loads it only when that is used. */
const peers = {
  "@webgpu/types": "TypeScript's types of WebGPU",
  "@vladmandic/face-api": "finding faces, with the two that it computes with",
  "@tensorflow/tfjs": "finding faces in Node",
  "@tensorflow/tfjs-backend-wasm": "finding faces in Node",
  koffi: "training under MPI",
  sharp: "decoding pictures in Node",
  webgpu: "a GPU device in Node",
};

/** @param {string} description */
const common = (description) => ({
  version: root.version,
  description,
  type: "module",
  license: root.license,
  repository: root.repository,
  homepage: root.homepage,
  bugs: root.bugs,
  keywords: root.keywords,
});

/** @param {string} name */
function versionOf(name) {
  const version = root.dependencies[name] ?? root.devDependencies[name];
  if (!version) throw new Error(`${name} is not among the dependencies of package.json.`);
  return version;
}

export async function libraryManifest() {
  return {
    name: "twingrad",
    ...common(root.description),
    sideEffects: false,
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./node": { types: "./node/index.d.ts", default: "./node/index.js" },
      "./web": { types: "./web/index.d.ts", default: "./web/index.js" },
      "./exchange": { types: "./exchange/index.d.ts", default: "./exchange/index.js" },
      "./web/decoder.worker": { types: "./web/decoder.worker.d.ts", default: "./web/decoder.worker.js" },
      "./internal": { types: "./internal.d.ts", default: "./internal.js" },
      "./package.json": "./package.json",
    },
    types: "./index.d.ts",
    engines: root.engines,
    peerDependencies: Object.fromEntries(Object.keys(peers).map((name) => [name, `^${versionOf(name)}`])),
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
  };
}

/** @param {Metafile} metafile of the command line's build: its imports become the dependencies */
export async function programManifest(metafile) {
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  const names = new Set(imported.map(({ path: name }) => name).filter((name) => !name.startsWith("node:")));
  const packages = [...names].map((name) => name.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? name);
  const dependencies = new Set([...packages, "sharp", "webgpu"]); // and what the library loads in Node
  dependencies.delete("twingrad");
  return {
    name: "twingrad-cli",
    ...common("Train Siamese networks on the GPU and recognize identities from the command line"),
    bin: { twingrad: "cli.js" },
    engines: root.engines,
    dependencies: {
      twingrad: root.version,
      ...Object.fromEntries([...dependencies].sort().map((name) => [name, versionOf(name)])),
    },
    optionalDependencies: { koffi: versionOf("koffi") }, // only for --distributed
  };
}

/** @param {string} folder @param {object} manifest @param {string} readme the package's page */
export async function writeManifest(folder, manifest, readme) {
  await writeFile(path.join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile("LICENSE", path.join(folder, "LICENSE"));
  // The package lacks the files that the README links to in the repository.
  const text = await readFile(readme, "utf8");
  const source = root.homepage.replace(/#.*/, "");
  const absolute = text
    .replace(/(!\[[^\]]*\]\()(?![a-z]+:)/g, `$1${source}/raw/main/`)
    .replace(/\]\((?![a-z]+:|#)/g, `](${source}/blob/main/`);
  await writeFile(path.join(folder, "README.md"), absolute);
}
