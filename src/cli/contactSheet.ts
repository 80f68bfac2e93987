// A contact sheet of one picture, augmented on the GPU as in a training step.

import sharp from "sharp";
import { type AugmentationOptions, type Device, type ImageSize, type ResizeMethod, resize, Tape } from "../index.ts";
import { type Augmentation, Augmenter } from "../internal.ts";

export interface Specimens {
  /** [count + 1, height, width, channels]: the picture without augmentation, then the augmented versions. */
  readonly pixels: Uint8Array;
  readonly size: ImageSize;
  /** The parameters of each augmented version. */
  readonly augmentations: Augmentation[];
}

/** @param picture of size `source`; streams 0 to count - 1 of the seed augment it. */
export async function specimens(
  device: Device,
  picture: Uint8Array,
  options: {
    readonly source: ImageSize;
    readonly size: ImageSize;
    readonly method: ResizeMethod;
    readonly augmentation: AugmentationOptions;
    readonly count: number;
  },
): Promise<Specimens> {
  const { source, size, method, augmentation, count } = options;
  const [height, width, channels] = size;
  const augmenter = new Augmenter(augmentation, [source[0], source[1]], [height, width], method);
  const tape = new Tape(device);
  const plain = resize(tape.input("picture", [1, ...source], { dtype: "u8" }), [height, width], { method });
  const augmented = augmenter.record(tape.input("images", [count, ...source], { dtype: "u8" }));
  const program = await tape.compile({ outputs: { plain, augmented } });
  try {
    const images = new Uint8Array(count * picture.length);
    for (let n = 0; n < count; n++) images.set(picture, n * picture.length);
    const ids = Array.from({ length: count }, (_, id) => id);
    const result = await program.run({ picture, images, ...augmenter.inputs(ids) });
    const pixels = new Uint8Array((count + 1) * height * width * channels);
    const bytes = (values: unknown) => Uint8Array.from(values as Float32Array, (value) => Math.round(255 * value));
    pixels.set(bytes(result.plain));
    pixels.set(bytes(result.augmented), height * width * channels);
    return { pixels, size, augmentations: ids.map((id) => augmenter.draw(id)) };
  } finally {
    program.dispose();
  }
}

const gap = 4;
const background = { r: 40, g: 44, b: 52 };
/** Approximate display size of a picture's longer side, in pixels. */
const shownSide = 160;

/**
 * A PNG of all pictures, row by row, enlarged by an integer factor.
 * @param across pictures in a row. @default a roughly square sheet
 */
export async function contactSheet(
  { pixels, size: [height, width, channels] }: Pick<Specimens, "pixels" | "size">,
  across?: number,
): Promise<Buffer> {
  const count = pixels.length / (height * width * channels);
  const columns = across ?? Math.ceil(Math.sqrt((count * height) / width));
  const rows = Math.ceil(count / columns);
  const enlarged = Math.max(1, Math.round(shownSide / Math.max(height, width)));
  const tile = { width: width * enlarged, height: height * enlarged };
  const raw = { width, height, channels: channels as 1 | 3 };
  const tiles = Array.from({ length: count }, async (_, n) => ({
    input: await sharp(pixels.subarray(n * height * width * channels, (n + 1) * height * width * channels), { raw })
      .resize({ ...tile, kernel: "nearest", fit: "fill" })
      .toColorspace("srgb")
      .png()
      .toBuffer(),
    left: gap + (n % columns) * (tile.width + gap),
    top: gap + Math.floor(n / columns) * (tile.height + gap),
  }));
  const sheet = {
    width: gap + columns * (tile.width + gap),
    height: gap + rows * (tile.height + gap),
    channels: 3 as const,
    background,
  };
  return sharp({ create: sheet })
    .composite(await Promise.all(tiles))
    .png()
    .toBuffer();
}
