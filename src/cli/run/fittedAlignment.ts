// The alignment of a training run, fitted to a sample of its training pictures.
import { type Alignment, type Dataset, DecodedImages, fitAlignment, type ImageSize } from "../../index.ts";

/** A mean over more pictures takes longer and hardly differs. */
const mostPictures = 400;

/** @param decoded size of decoded pictures. */
export async function fittedAlignment(training: Dataset, decoded: ImageSize): Promise<Alignment> {
  const stride = Math.ceil(training.items.length / mostPictures);
  const indices = training.items.map((_, index) => index).filter((index) => index % stride === 0);
  const images = new DecodedImages(training, decoded, { maximumBytes: 0 });
  return fitAlignment(await images.stack(indices), decoded);
}
