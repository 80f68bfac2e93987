// Face detectors for pages: the browser's own where it has one, and the package that Node uses.
import { type FaceApi, faceApiFinder } from "../data/detection/faceApiFinder.ts";
import type { PictureDecoder } from "../data/detection/faceDataset.ts";
import type { FaceFinder, FoundFace, Pixels } from "../data/detection/faceFinder.ts";
import { decodeHere, wholePicture } from "./decodePicture.ts";
import { shapeDetector } from "./shapeDetector.ts";

/** Decodes the photographs to detect faces in. */
export const pagePictures: PictureDecoder = { decode: decodeHere, whole: wholePicture };

/**
 * The browser's own detector, which returns boxes without landmarks; undefined in browsers without one, which most are.
 * @example
 * ```ts
 * import { browserFaceFinder } from "twingrad/web";
 *
 * const finder = await browserFaceFinder();
 * if (!finder) console.log("This browser has no face detector.");
 * ```
 */
export async function browserFaceFinder(): Promise<FaceFinder | undefined> {
  const detector = await shapeDetector({ maxDetectedFaces: 20 });
  if (!detector) return undefined;
  const find = async (picture: Pixels) => (await detector.detect(imageData(picture))).map(foundFace);
  return { name: "the browser's FaceDetector", find };
}

function imageData({ data, height, width }: Pixels): ImageData {
  const rgba = new Uint8ClampedArray(4 * height * width).fill(255);
  for (let pixel = 0; pixel < height * width; pixel++) {
    rgba.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  }
  return new ImageData(rgba, width, height);
}

function foundFace({ boundingBox: { left, top, right, bottom } }: { boundingBox: DOMRectReadOnly }): FoundFace {
  return { box: { xmin: left, ymin: top, xmax: right, ymax: bottom, relative: false }, score: 1 };
}

/** The package knows pages and Node. Of a worker it uses `fetch`, and compares tensors with the classes of a page. */
const workerEnvironment = {
  Canvas: class {},
  CanvasRenderingContext2D: class {},
  Image: class {},
  ImageData: class {},
  Video: class {},
  fetch: (address: string) => fetch(address),
};

/**
 * `@vladmandic/face-api` in a page or worker.
 * @param api the module, from `import("@vladmandic/face-api")`.
 * @param models the URL of the package's folder `model`.
 * @example
 * ```ts
 * import * as faceapi from "@vladmandic/face-api";
 * import { faceApiInPage } from "twingrad/web";
 *
 * // The package's own types leave out the TensorFlow.js that it exports.
 * const finder = await faceApiInPage(faceapi as unknown as Parameters<typeof faceApiInPage>[0], "/models");
 * ```
 */
export async function faceApiInPage(
  api: Pick<FaceApi, "version" | "TinyFaceDetectorOptions"> & {
    // The package's types declare only a part of its TensorFlow.js, and other types of tensors.
    readonly tf: object;
    readonly detectAllFaces: (...input: never[]) => unknown;
    readonly nets: Record<"tinyFaceDetector" | "faceLandmark68Net", { loadFromUri(uri: string): Promise<void> }>;
    readonly env?: { setEnv(environment: never): void };
  },
  models: string,
): Promise<FaceFinder> {
  const whole = api as unknown as FaceApi;
  if (typeof document === "undefined") api.env?.setEnv(workerEnvironment as never);
  await whole.tf.ready();
  await api.nets.tinyFaceDetector.loadFromUri(models);
  await api.nets.faceLandmark68Net.loadFromUri(models);
  const { version } = api;
  return faceApiFinder(whole, typeof version === "string" ? version : (version.faceapi ?? "of an unknown version"));
}
