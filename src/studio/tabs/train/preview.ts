// Augments some pictures of the dataset on the GPU with the same operations as training.
import { augmentationPresets } from "../../../data/augmentation/ranges.ts";
import type { Dataset } from "../../../data/dataset.ts";
import { DecodedImages } from "../../../data/decodedImages.ts";
import { Random, streams } from "../../../data/random.ts";
import type { Device } from "../../../gpu/device.ts";
import { Tape } from "../../../tape/tape.ts";
import { Augmenter } from "../../../train/augmenter.ts";
import type { Input, Output } from "../../messages.ts";

type Preview = "train.preview";

export async function preview(
  device: Device,
  dataset: Dataset,
  { augmentation, imageSize, count, seed }: Input<Preview>,
): Promise<Output<Preview>> {
  const random = new Random(seed, streams.pictureChanges);
  const chosen =
    dataset.items.length === 0 ? [] : Array.from({ length: count }, () => random.integer(dataset.items.length));
  const images = new DecodedImages(dataset, [imageSize, imageSize, 3], { maximumBytes: 0 });
  const given = await images.stack(chosen);
  const pixels = augmentation === "none" || chosen.length === 0 ? given : await augmented();
  return { side: imageSize, pictures: chosen.map((_, n) => opaque(pixels, n, imageSize ** 2)) };

  async function augmented(): Promise<Uint8ClampedArray> {
    const size = [imageSize, imageSize] as const;
    const augmenter = new Augmenter({ ...augmentationPresets[augmentation as "light"], seed }, size, size, "area");
    const tape = new Tape(device);
    const input = tape.input("images", [chosen.length, imageSize, imageSize, 3]);
    const program = await tape.compile({ outputs: { changed: augmenter.record(input) } });
    try {
      const ids = chosen.map(() => random.uint32());
      const values = Float32Array.from(given, (byte) => byte / 255);
      const { changed } = await program.run({ images: values, ...augmenter.inputs(ids) });
      return Uint8ClampedArray.from(changed as Float32Array, (value) => 255 * value);
    } finally {
      program.dispose();
    }
  }
}

function opaque(pixels: ArrayLike<number>, n: number, count: number): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(4 * count).fill(255);
  for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = pixels[3 * (n * count + i) + c];
  return rgba;
}
