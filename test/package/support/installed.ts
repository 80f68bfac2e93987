// What would be published, as its user has it: built, packed, and installed in empty folders, once for all files of tests.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { transform } from "esbuild";
import { inject } from "vitest";
import { run } from "./run.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/** Does it in one of the processes that ask for it; the others wait. */
async function once<T>(name: string, work: () => Promise<T>): Promise<T> {
  const mark = path.join(inject("packageFolder"), name);
  let first = true;
  try {
    mkdirSync(`${mark}.begun`);
  } catch {
    first = false;
  }
  if (first) {
    const ended = await work().then(
      (value) => ({ value }),
      (error: Error) => ({ error: error.message }),
    );
    writeFileSync(`${mark}.part`, JSON.stringify(ended));
    renameSync(`${mark}.part`, `${mark}.json`);
  }
  while (!existsSync(`${mark}.json`)) await setTimeout(100);
  const { value, error } = JSON.parse(readFileSync(`${mark}.json`, "utf8"));
  if (error) throw new Error(error);
  return value;
}

export interface Packed {
  library: string;
  commandLine: string;
}

/** The two tarballs, of the tree as it is. */
export const packed = (): Promise<Packed> =>
  once("packed", async () => {
    await run(root, "npm", "run", "build");
    const pack = ["pack", "--json", "--pack-destination", inject("packageFolder")];
    const [library, commandLine] = JSON.parse(await run(root, "npm", ...pack, "./dist/twingrad", "./dist/cli"));
    for (const { name, size, entryCount } of [library, commandLine]) {
      console.log(`packed ${name}: ${size} bytes, ${entryCount} files`);
    }
    const at = ({ filename }: { filename: string }) => path.join(inject("packageFolder"), filename);
    return { library: at(library), commandLine: at(commandLine) };
  });

/** In an empty folder, which is given. `packages` are tarballs, or the names of others in the repository's own versions. */
async function install(name: string, packages: (files: Packed) => string[]): Promise<string> {
  const files = await packed();
  return once(name, async () => {
    const folder = path.join(inject("packageFolder"), name);
    await mkdir(folder);
    const { dependencies, devDependencies } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
    const pinned = (name: string) => {
      const version = dependencies[name] ?? devDependencies[name];
      return version ? `${name}@${version}` : name;
    };
    await run(folder, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...packages(files).map(pinned));
    const found = Object.entries(await installedIn(folder)).map(([name, version]) => `${name} ${version}`);
    console.log(`installed in ${folder}: ${found.join(", ")}`);
    await useModules(folder);
    return folder;
  });
}

/** Names and versions of all that npm put into a folder. */
export async function installedIn(folder: string): Promise<Record<string, string>> {
  const lock = JSON.parse(await readFile(path.join(folder, "node_modules/.package-lock.json"), "utf8"));
  const packages = Object.entries<{ version: string }>(lock.packages);
  return Object.fromEntries(packages.map(([name, { version }]) => [name.replace(/^node_modules\//, ""), version]));
}

/** As `npm pkg set type=module`, so that `.js` files are modules. */
async function useModules(folder: string): Promise<void> {
  const file = path.join(folder, "package.json");
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), type: "module" }));
}

/** The library by itself: what a page needs. */
export const libraryAlone = () => install("alone", ({ library }) => [library]);
/** The library with what Node needs besides, and what examples use. */
export const libraryInNode = () =>
  install("node", ({ library }) => [library, "webgpu", "sharp", "koffi", "onnxruntime-web"]);
/** The command line, in one install, with what examples use besides. */
export const commandLine = () =>
  install("program", ({ library, commandLine }) => [commandLine, library, "onnxruntime-web"]);

const consumer = path.resolve(import.meta.dirname, "../consumer");

/** Puts the programs of consumer/ into a folder, without their types, as they would be after `tsc`. */
export async function addPrograms(folder: string): Promise<void> {
  for (const name of readdirSync(consumer)) {
    const code = await withoutTypes(await readFile(path.join(consumer, name), "utf8"));
    await writeFile(path.join(folder, name.replace(/\.ts$/, ".js")), code);
  }
}

export const withoutTypes = async (text: string) => (await transform(text, { loader: "ts" })).code;

/** Puts the programs of consumer/ into a folder below, as they are. */
export const addSources = (folder: string) => cp(consumer, path.join(folder, "types"), { recursive: true });
