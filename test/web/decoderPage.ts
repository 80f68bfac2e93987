// The functions that test/web/decoder.test.ts calls in a page.

import { batches } from "../../src/data/batches.ts";
import { labelsOf } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { balancedPairs } from "../../src/data/sampling/balanced.ts";
import type { TwingradError } from "../../src/errors.ts";
import { PageDecoder } from "../../src/web/decoder.ts";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const decoder = new PageDecoder({ workers: 2 });
// The page's own thread cannot decode: whatever is decoded was decoded in a worker.
globalThis.createImageBitmap = () => Promise.reject(new Error("decoded on the page's main thread"));

const page = {
  async decode(base64: string, size: ImageSize, raw?: ImageSize) {
    try {
      return { pixels: Array.from(await decoder.decode({ bytes: bytesOf(base64), raw }, size)) };
    } catch (error) {
      const { code, message } = error as TwingradError;
      return { code, message };
    }
  },

  /** The first batch of impostor pairs; the pictures alternate between them. */
  async batch(pictures: string[], size: ImageSize, seed: number) {
    const items = pictures.map((base64, index) => ({
      identity: index % 2,
      name: `picture ${index}`,
      decode: (wanted: ImageSize) => decoder.decode(bytesOf(base64), wanted),
    }));
    const dataset = { identities: ["a", "b"], items };
    const images = new DecodedImages(dataset, size);
    const stream = batches(images, balancedPairs(labelsOf(dataset), { seed }), { batchSize: 8 });
    const { left, right, leftLabels, rightLabels } = (await stream.next()).value;
    return [left, right, leftLabels, rightLabels].map((values) => Array.from(values));
  },

  /** What happens to pictures that are being decoded, and asked for later, when a decoder ends, or cannot start. */
  async ends(base64: string) {
    const reason = (promise: Promise<unknown>) =>
      promise.then(
        () => "decoded",
        ({ code, message }) => `${code} ${message}`,
      );
    const other = new PageDecoder();
    const under = reason(other.decode(bytesOf(base64), [8, 8, 3]));
    other.dispose();
    const later = reason(other.decode(bytesOf(base64), [8, 8, 3]));
    const missing = new PageDecoder({ createWorker: () => new Worker("/missing.js") });
    return Promise.all([under, later, reason(missing.decode(bytesOf(base64), [8, 8, 3]))]);
  },
};

declare global {
  var decoding: typeof page;
}
globalThis.decoding = page;
