// What a network's pictures are: how they are given, and what is done to them on the GPU before the network sees them.
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

/** What pictures come as, and what is done to them on the GPU before the network sees them. */
export interface PictureOptions {
  /** Height and width of the pictures that are given; the network's by default. */
  readonly sourceSize?: readonly [height: number, width: number];
  /** How they are resized. @default "area" */
  readonly resize?: ResizeMethod;
  /** Brings each picture's channels to mean 0 and variance 1: light, contrast and tint are no longer to be learnt from. */
  readonly standardize?: boolean;
  /** How they are cropped before they are given: whoever uses the model must do the same. */
  readonly crop?: CropOptions;
  /**
   * What pictures are brought in line with, see `fitAlignment`, before towers of some kinds see them. Whoever trains gives
   * these towers' part of a batch in its place (`classBatches` of an `alignedDataset`); whoever embeds, with the trainer
   * or a model, gives pictures as they are.
   */
  readonly alignment?: TowerAlignment;
  /** An embedding is the mean over these views of a picture; training sees none of them. */
  readonly views?: readonly ViewKind[];
}

/** An alignment, and whose pictures are brought in line with it. */
export interface TowerAlignment extends Alignment {
  /** The kinds of towers that see pictures so. */
  readonly towers: readonly TowerKind[];
}

const isTowerAlignment = (value: unknown): boolean =>
  isAlignment(value) && areTowers((value as Partial<TowerAlignment>).towers);

const areTowers = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((kind) => towerKinds.includes(kind));

/** Height, width, channels of the pictures that are given. */
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
    `sourceSize is ${JSON.stringify(sourceSize)}; expected [height, width] in whole pixels.`,
  );
}

/**
 * The input "images", or another, as the tower takes it: float32 of the network's size, in [0, 1] or standardised.
 * @param change brings them to that size in its own way.
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
 * What of these options says how pictures are treated, in the form that a file keeps; undefined where nothing does.
 * @throws BAD_INPUT for views or an alignment that are none.
 */
export function picturesSaid(options: PictureOptions): PictureOptions | undefined {
  const { sourceSize, resize = "area", standardize, crop, alignment, views } = options;
  if (views !== undefined && !areViews(views)) {
    const expected = `expected some of ${viewKinds.join(", ")}, each once`;
    throw new TwingradError("BAD_INPUT", `views is ${JSON.stringify(views)}; ${expected}.`);
  }
  if (alignment !== undefined && !isTowerAlignment(alignment)) {
    const expected = `expected what fitAlignment made, with towers: some of ${towerKinds.join(", ")}`;
    throw new TwingradError("BAD_INPUT", `alignment is none; ${expected}.`);
  }
  if (!(sourceSize || standardize || crop || alignment || views)) return undefined;
  const brought = { ...(crop && { crop }), ...(alignment && { alignment }) };
  return { sourceSize, resize, ...(standardize && { standardize }), ...brought, ...(views && { views }) };
}

/** Whether a file says nothing of its pictures, or what can be. */
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
