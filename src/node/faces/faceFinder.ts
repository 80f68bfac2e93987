// The face detector for Node: the package @vladmandic/face-api, which contains its models.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type FaceApi, faceApiFinder } from "../../data/detection/faceApiFinder.ts";
import type { FaceFinder } from "../../data/detection/faceFinder.ts";
import { loadPackage } from "../packages.ts";

const name = "@vladmandic/face-api";
const backend = "@tensorflow/tfjs-backend-wasm";
const purpose = "Finding faces in Node";

let opening: Promise<FaceFinder> | undefined;

/**
 * Opens a face detector that runs on the CPU, in WebAssembly; later calls return the same one. It needs the packages
 * `@vladmandic/face-api`, `@tensorflow/tfjs` and `@tensorflow/tfjs-backend-wasm`.
 * @throws MISSING_PACKAGE with the command that installs the missing package.
 * @example
 * ```ts
 * import { openFaceFinder } from "twingrad/node";
 *
 * const finder = await openFaceFinder();
 * const faces = await finder.find({ data: new Uint8Array(480 * 640 * 3), height: 480, width: 640 });
 * ```
 */
export function openFaceFinder(): Promise<FaceFinder> {
  opening ??= open().catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function open(): Promise<FaceFinder> {
  // Bundlers do not follow these imports: a program without face detection is bundled without the packages.
  for (const needed of ["@tensorflow/tfjs", backend])
    await loadPackage(needed, purpose, () => import(/* webpackIgnore: true */ /* @vite-ignore */ needed));
  const entry = `${name}/dist/face-api.node-wasm.js`;
  const module = await loadPackage(name, purpose, () => import(/* webpackIgnore: true */ /* @vite-ignore */ entry));
  const api = (module.default ?? module) as FaceApi & Networks;
  await api.tf.setBackend("wasm");
  await api.tf.ready();
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const models = join(folder, "model");
  await api.nets.tinyFaceDetector.loadFromDisk(models);
  await api.nets.faceLandmark68Net.loadFromDisk(models);
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  return faceApiFinder(api, version);
}

interface Networks {
  readonly nets: Record<"tinyFaceDetector" | "faceLandmark68Net", { loadFromDisk(folder: string): Promise<void> }>;
}
