// A picture to identify, from a file or the camera, with its largest face where a face finder is there.
import { chooseFace } from "../../../data/detection/chooseFace.ts";
import { enlarged, type FaceFinder, type FoundFace } from "../../../data/detection/faceFinder.ts";
import type { CropOptions } from "../../../data/pictures/crop.ts";
import type { StoredPicture } from "../../../data/pictures/storedPicture.ts";
import { wholePicture } from "../../../web/decodePicture.ts";
import type { Probe } from "../../messages.ts";

/** Enlarges a face's box on every side to include hair, chin and ears, as portraits do. */
const margin = 0.25;

export interface PreparedProbe {
  readonly stored: StoredPicture;
  /** The largest face; undefined without a face finder, or where there is none. */
  readonly face: FoundFace | undefined;
}

export async function prepare(probe: Probe, finder: FaceFinder | undefined): Promise<PreparedProbe> {
  const stored = await storedOf(probe);
  if (!finder) return { stored, face: undefined };
  const { scale, ...seen } = await wholePicture(stored);
  const { face } = chooseFace(await finder.find(seen), seen);
  return { stored, face: face && enlarged(face, 1 / scale) };
}

/** The picture cropped to its face: aligned where the model was trained so, otherwise as a portrait. */
export function croppedTo({ stored, face }: PreparedProbe, wanted?: CropOptions): StoredPicture {
  if (!face) return stored;
  const { box, landmarks } = face;
  if (wanted?.mode === "face" && landmarks) return { ...stored, crop: { box, margin: wanted.margin ?? 0, landmarks } };
  return { ...stored, crop: { box, margin } };
}

async function storedOf(probe: Probe): Promise<StoredPicture> {
  if (probe instanceof Blob) return { bytes: new Uint8Array(await probe.arrayBuffer()) };
  const { width, height } = probe;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(probe, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { bytes: new Uint8Array(data.buffer), raw: [height, width, 4] };
}
