// A dataset of face crops. All pictures are searched for faces once before the work begins, so that it is known which
// pictures take part, and no face is detected twice.
import { TwingradError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { changed, type Dataset, type Item, subset } from "../dataset.ts";
import type { ImageSize } from "../imageSize.ts";
import type { PictureCrop } from "../pictures/crop.ts";
import type { StoredPicture } from "../pictures/storedPicture.ts";
import {
  type ChosenFace,
  chooseFace,
  type FaceFault,
  type FacePolicy,
  facePolicy,
  faultInWords,
} from "./chooseFace.ts";
import { enlarged, type FaceFinder, type Pixels } from "./faceFinder.ts";

/** How a platform decodes pictures. */
export interface PictureDecoder {
  /** To uint8 [H, W, C] of the wanted size. */
  decode(picture: StoredPicture, size: ImageSize): Promise<Uint8Array>;
  /** The upright picture in RGB, its longer side at most `longestSide`; `scale` is the factor of the downscaling. */
  whole(picture: StoredPicture): Promise<Pixels & { readonly scale: number }>;
}

/** Caches detections by a hash of the picture's bytes. */
export interface FaceStore {
  /** The cached detection for this digest. */
  get(digest: string): ChosenFace | undefined;
  /** Caches a detection. */
  set(digest: string, chosen: ChosenFace): void;
}

/** Options of `faceDataset`. */
export interface FaceOptions {
  /** The face detector. */
  readonly finder: FaceFinder;
  /** Enlarges the crop on every side, as a share of the frame's side. @default 0 */
  readonly margin?: number;
  /** Changes to `defaultPolicy`. */
  readonly policy?: Partial<FacePolicy>;
  /** Caches detections for the next time; there is no cache by default. */
  readonly store?: FaceStore;
}

/** The face of one picture under the policy; `crop` is undefined if the center is used. */
export async function faceOf(
  name: string,
  picture: StoredPicture,
  decoder: PictureDecoder,
  options: FaceOptions,
): Promise<{ use: boolean; crop: PictureCrop | undefined; faults: readonly FaceFault[] }> {
  const policy = facePolicy(options.policy);
  const { face, faults } = await naming(name, () => chosenIn(picture, decoder, options));
  const fails = faults.find((fault) => policy[fault] === "fail");
  if (fails) throw new TwingradError("NO_FACE", `${name}: ${faultInWords[fails]}`);
  const use = !faults.some((fault) => policy[fault] === "skip");
  const crop = face && {
    box: face.box,
    margin: options.margin ?? 0,
    ...(face.landmarks && { landmarks: face.landmarks }),
  };
  return { use, crop, faults };
}

async function chosenIn(picture: StoredPicture, decoder: PictureDecoder, { finder, store }: FaceOptions) {
  const digest = store && (await digestOf(picture));
  const kept = digest && store.get(digest);
  if (kept) return kept;
  const { scale, ...shown } = await decoder.whole(picture);
  const { face, faults } = chooseFace(await finder.find(shown), shown);
  const chosen = { face: face && enlarged(face, 1 / scale), faults };
  if (digest) store.set(digest, chosen);
  return chosen;
}

async function digestOf({ bytes, raw }: StoredPicture): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  const hex = Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return raw ? `${hex}:${raw.join("x")}` : hex;
}

/**
 * The dataset with each photograph cropped to its face: the largest one that the finder finds, rotated and scaled to a
 * standard frame by its landmarks.
 * @param onFaults - called for each picture with faults, in the dataset's order; `used` says whether it is kept.
 * `onProgress` is called after each picture.
 * @throws NO_FACE that names the first picture with a fault for which the policy says fail, or when no picture is left.
 * @example
 * ```ts
 * import { imageFolder, nodePictures, openFaceFinder } from "twingrad/node";
 *
 * const photographs = await imageFolder("photographs/");
 * const faces = await faceDataset(photographs, nodePictures, { finder: await openFaceFinder() });
 * ```
 */
export async function faceDataset<I extends Item>(
  dataset: Dataset<I>,
  decoder: PictureDecoder,
  options: FaceOptions,
  {
    onFaults,
    onProgress,
  }: {
    onFaults?: (item: I, faults: readonly FaceFault[], used: boolean) => void;
    onProgress?: (count: number) => void;
  } = {},
): Promise<Dataset<I>> {
  checkOptions("faceDataset", options, { finder: 1, margin: "finite number", policy: 1, store: 1 });
  const items: I[] = [];
  for (const [index, item] of dataset.items.entries()) {
    const stored = await item.stored?.();
    if (!stored) throw new TwingradError("BAD_INPUT", `${item.name}: face detection needs stored pictures.`);
    const { use, crop, faults } = await faceOf(item.name, stored, decoder, options);
    if (faults.length > 0) onFaults?.(item, faults, use);
    if (use) items.push(withCrop(item, decoder, crop));
    onProgress?.(index + 1);
  }
  if (items.length === 0) {
    const { length } = dataset.items;
    throw new TwingradError("NO_FACE", `No usable face was found in any of the ${length} pictures.`);
  }
  const present = new Set(items.map((item) => item.identity));
  const identities = dataset.identities.map((_, identity) => identity).filter((identity) => present.has(identity));
  return subset({ identities: dataset.identities, items }, identities);
}

function withCrop<I extends Item>(item: I, decoder: PictureDecoder, crop: PictureCrop | undefined): I {
  const stored = async () => ({ ...(await item.stored!()), crop });
  const decode = (size: ImageSize) => naming(item.name, async () => decoder.decode(await stored(), size));
  return changed(item, { decode, stored });
}

async function naming<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TwingradError) || error.message.startsWith(name)) throw error;
    throw new TwingradError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}
