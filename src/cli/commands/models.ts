// Opens the models and reads the pictures that commands are given.
import {
  type CropOptions,
  type Dataset,
  type Device,
  type ImageSize,
  type LivenessModel,
  type Model,
  TwingradError,
} from "../../index.ts";
import { boxesOf, cropInWords, cropOf, statOf } from "../../internal.ts";
import { loadLivenessModel, loadModel, openDevice, readPicture } from "../../node/index.ts";
import { checkCropFlags, type FaceFlags, readFace } from "../faces.ts";
import type { PictureNeeds } from "../options/dataOptions.ts";
import { note } from "../outcome.ts";
import { Progress } from "../progress.ts";

/** Opens a device and the model for `work`, and disposes of both after it. */
export async function withModel<T>(path: string, work: (model: Model, device: Device) => Promise<T>): Promise<T> {
  return withLoaded(path, loadModel, work);
}

/** As `withModel`, with a liveness model. */
export async function withLiveness<T>(path: string, work: (model: LivenessModel) => Promise<T>): Promise<T> {
  return withLoaded(path, loadLivenessModel, work);
}

async function withLoaded<M, T>(
  path: string,
  load: (path: string, device: Device) => Promise<M>,
  work: (model: M, device: Device) => Promise<T>,
): Promise<T> {
  // Before the device is opened, so that a wrong path fails at once.
  if (!(await statOf(path))) throw new TwingradError("BAD_INPUT", `${path}: model not found`);
  const device = await openDevice({ tell: note });
  try {
    return await work(await load(path, device), device);
  } finally {
    device.dispose();
  }
}

/** Shows progress over the dataset's pictures while `work` runs. */
export async function showing<T>(
  { items }: Dataset,
  work: (onProgress: (done: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(items.length, 0, "picture");
  try {
    return await work((done) => progress.update(done));
  } finally {
    progress.stop();
  }
}

/** How single pictures are read. */
export interface PictureFlags extends FaceFlags {
  boxes?: string;
  /** Overrides the model's own. */
  crop?: CropOptions["mode"];
}

/** The input format of a model. */
export interface PictureModel {
  readonly imageSize: ImageSize;
  readonly crop?: CropOptions;
}

export const picturesFor = ({ imageSize: size, crop }: PictureModel): PictureNeeds => ({ size, crop });

/**
 * The pictures, concatenated, in the model's size and cropped as in its training. Prints how many have a box.
 * @param flags override the boxes next to the pictures, the crop and the face policy.
 */
export async function readPictures(
  paths: readonly string[],
  model: PictureModel,
  flags: PictureFlags = {},
): Promise<Uint8Array> {
  const { mode = model.crop?.mode ?? "centre", boxes } = { ...flags, mode: flags.crop };
  const crop: CropOptions = { ...model.crop, mode };
  checkCropFlags(mode, flags);
  const found = crop.mode === "box" ? await boxesOf(paths, boxes) : [];
  const text = cropInWords(crop, found.filter(Boolean).length, paths.length);
  if (text) note(text);
  const pictures = await Promise.all(
    paths.map((path, n) =>
      mode === "face"
        ? readFace(path, model.imageSize, crop, flags)
        : readPicture(path, model.imageSize, cropOf(found[n], crop)),
    ),
  );
  const [height, width, channels] = model.imageSize;
  const stacked = new Uint8Array(pictures.length * height * width * channels);
  for (const [index, picture] of pictures.entries()) stacked.set(picture, index * picture.length);
  return stacked;
}
