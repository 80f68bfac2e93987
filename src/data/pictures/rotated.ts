// Augments the identities by rotation, for data where a rotated picture is another class: characters, but not faces.
// A. Santoro et al., "Meta-Learning with Memory-Augmented Neural Networks", ICML 2016, section 4.1.
import type { Dataset, Item } from "../dataset.ts";
import type { ImageSize } from "../imageSize.ts";

/**
 * Every identity four times: as it is, and rotated by 90, 180 and 270 degrees, as identities of their own. The first
 * `dataset.identities.length` are those of the dataset itself; pictures of others have no stored form.
 * @example
 * ```ts
 * console.log(rotatedIdentities(dataset).identities.length); // four times as many
 * ```
 */
export function rotatedIdentities(dataset: Dataset): Dataset {
  const { identities, items } = dataset;
  const quarters = [1, 2, 3];
  return {
    identities: [...identities, ...quarters.flatMap((q) => identities.map((name) => `${name} rotated ${90 * q}`))],
    items: [
      ...items,
      ...quarters.flatMap((q) =>
        items.map(
          (item): Item => ({
            identity: item.identity + q * identities.length,
            name: item.name,
            decode: async ([height, width, channels]) => {
              const upright: ImageSize = q === 2 ? [height, width, channels] : [width, height, channels];
              return rotatedPixels(await item.decode(upright), upright, q);
            },
          }),
        ),
      ),
    ],
  };
}

/** The pixels [H, W, C] of a picture rotated counter-clockwise by `quarters` times 90 degrees. */
export function rotatedPixels(pixels: Uint8Array, [height, width, channels]: ImageSize, quarters: number): Uint8Array {
  const result = new Uint8Array(pixels.length);
  const columns = quarters % 2 === 0 ? width : height;
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += channels) {
      const [row, column] =
        quarters === 1 ? [width - 1 - x, y] : quarters === 2 ? [height - 1 - y, width - 1 - x] : [x, height - 1 - y];
      for (let c = 0; c < channels; c++) result[(row * columns + column) * channels + c] = pixels[from + c];
    }
  }
  return result;
}
