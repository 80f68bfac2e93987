// The models and pictures that commands are given, opened and read.
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
import { type FaceFlags, readFace } from "../faces.ts";
import type { PictureNeeds } from "../options/dataOptions.ts";
import { note } from "../outcome.ts";
import { Progress } from "../progress.ts";

/** Opens a device and the model, and gives both back when the work is done. */
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
  // Before the device is opened: a wrong path should be told at once.
  if (!(await statOf(path))) throw new TwingradError("BAD_INPUT", `${path}: there is no such model`);
  const device = await openDevice({ tell: note });
  try {
    return await work(await load(path, device), device);
  } finally {
    device.dispose();
  }
}

/** Shows how many pictures of the dataset are done while `work` goes through them. */
export async function showing<T>({ items }: Dataset, work: (told: (done: number) => void) => Promise<T>): Promise<T> {
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
  /** In place of the model's own. */
  crop?: CropOptions["mode"];
}

/** What a model needs of pictures. */
export interface PictureModel {
  readonly imageSize: ImageSize;
  readonly crop?: CropOptions;
}

export const picturesFor = ({ imageSize: size, crop }: PictureModel): PictureNeeds => ({ size, crop });

/**
 * The pictures behind one another, in the model's size and cropped as its training's were; how many have a box is told.
 * @param flags a table of boxes in place of those that lie beside the pictures, another crop, what a face must be.
 */
export async function readPictures(
  paths: readonly string[],
  model: PictureModel,
  flags: PictureFlags = {},
): Promise<Uint8Array> {
  const { mode = model.crop?.mode ?? "centre", boxes } = { ...flags, mode: flags.crop };
  const crop: CropOptions = { ...model.crop, mode };
  const found = crop.mode === "box" ? await boxesOf(paths, boxes) : [];
  const told = cropInWords(crop, found.filter(Boolean).length, paths.length);
  if (told) note(told);
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
