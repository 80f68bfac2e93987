// The input pictures of a network: their form, and their preprocessing on the GPU.
import { type Alignment, isAlignment } from "../data/alignment/alignmentForm.ts";
import type { CropOptions } from "../data/pictures/crop.ts";
import { TwingradError } from "../errors.ts";
import type { NetworkOptions } from "../nn/networkOptions.ts";
import { type TowerKind, towerKinds, towerSize } from "../nn/networkOptions.ts";
import { type ResizeMethod, resize } from "../ops/images/resample.ts";
import { scaleBytes } from "../ops/images/scaleBytes.ts";
import { standardize } from "../ops/images/standardize.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { areViews, type ViewKind, viewKinds } from "./views.ts";

export type InputDtype = "u8" | "f32";

/** The form of the input pictures, and their preprocessing on the GPU. */
export interface PictureOptions {
  /** Height and width of the input pictures. @default the network's image size */
  readonly sourceSize?: readonly [height: number, width: number];
  /** How they are resized. @default "area" */
  readonly resize?: ResizeMethod;
  /** Standardizes each channel of a picture to mean 0 and variance 1, which removes brightness, contrast and tint. */
  readonly standardize?: boolean;
  /** How pictures are cropped before they are passed in; inference must crop in the same way. */
  readonly crop?: CropOptions;
  /**
   * The alignment (see `fitAlignment`) of the input of some kinds of tower. For training, pass aligned pictures to
   * these towers (`classBatches` with an `alignedDataset`); for embedding, with the trainer or a model, pass unaligned
   * pictures.
   */
  readonly alignment?: TowerAlignment;
  /** An embedding is averaged over these views of a picture; not used in training. */
  readonly views?: readonly ViewKind[];
}

/** An alignment, and the kinds of tower that it applies to. */
export interface TowerAlignment extends Alignment {
  /** The kinds of towers that get aligned pictures. */
  readonly towers: readonly TowerKind[];
}

const isTowerAlignment = (value: unknown): boolean =>
  isAlignment(value) && areTowers((value as Partial<TowerAlignment>).towers);

const areTowers = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((kind) => towerKinds.includes(kind));

/** Height, width, channels of the input pictures. */
export function givenSize(
  { imageSize }: NetworkOptions,
  { sourceSize }: PictureOptions = {},
): [number, number, number] {
  const [height, width, channels] = imageSize;
  if (!sourceSize) return [height, width, channels];
  if (sourceSize.length === 2 && sourceSize.every((n) => Number.isInteger(n) && n > 0))
    return [...sourceSize, channels];
  throw new TwingradError(
    "BAD_INPUT",
    `Invalid \`sourceSize\` ${JSON.stringify(sourceSize)}: expected [height, width] as positive integers.`,
  );
}

/**
 * The input "images" (or `name`) as the tower's input: float32 of the network's size, in [0, 1] or standardized.
 * @param change replaces the resizing to that size.
 */
export function picturesInput(
  tape: Tape,
  { options }: { readonly options: Required<NetworkOptions> },
  count: number,
  dtype: InputDtype,
  pictures?: PictureOptions,
  { change, name = "images" }: { readonly change?: (images: Tensor) => Tensor; readonly name?: string } = {},
): Tensor {
  const [height, width] = towerSize(options);
  const given = givenSize(options, pictures);
  const images = tape.input(name, [count, ...given], { dtype });
  const sized = () => {
    if (change) return change(images);
    if (given[0] !== height || given[1] !== width) return resize(images, [height, width], { method: pictures?.resize });
    return dtype === "u8" ? scaleBytes(images) : images;
  };
  return pictures?.standardize ? standardize(sized()) : sized();
}

/**
 * The preprocessing options in the form stored in a file; undefined where all are defaults.
 * @throws BAD_INPUT for invalid views or an invalid alignment.
 */
export function picturesSaid(options: PictureOptions): PictureOptions | undefined {
  const { sourceSize, resize = "area", standardize, crop, alignment, views } = options;
  if (views !== undefined && !areViews(views)) {
    const expected = `expected some of ${viewKinds.join(", ")}, each once`;
    throw new TwingradError("BAD_INPUT", `Invalid \`views\` ${JSON.stringify(views)}: ${expected}.`);
  }
  if (alignment !== undefined && !isTowerAlignment(alignment)) {
    const expected = `expected the result of fitAlignment(), with \`towers\`: some of ${towerKinds.join(", ")}`;
    throw new TwingradError("BAD_INPUT", `Invalid \`alignment\`: ${expected}.`);
  }
  if (!(sourceSize || standardize || crop || alignment || views)) return undefined;
  const kept = { ...(crop && { crop }), ...(alignment && { alignment }) };
  return { sourceSize, resize, ...(standardize && { standardize }), ...kept, ...(views && { views }) };
}

/** Whether the picture options of a file are absent or valid. */
export function arePictures(pictures: unknown): boolean {
  if (pictures === undefined) return true;
  if (typeof pictures !== "object" || pictures === null) return false;
  const { resize, standardize, crop, alignment, views } = pictures as Record<string, unknown>;
  return (
    ["area", "tf1"].includes(resize as string) &&
    [undefined, true, false].includes(standardize as undefined) &&
    (crop === undefined || isCrop(crop)) &&
    (alignment === undefined || isTowerAlignment(alignment)) &&
    (views === undefined || areViews(views))
  );
}

function isCrop(crop: unknown): boolean {
  const { mode, margin = 0 } = (crop ?? {}) as { mode?: unknown; margin?: unknown };
  return (
    ["box", "centre", "face"].includes(mode as string) && typeof margin === "number" && margin >= 0 && margin <= 10
  );
}
