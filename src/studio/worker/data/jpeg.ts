// Encodes pixels to JPEG with the browser's encoder.

/** Takes RGB bytes [side, side, 3]. */
export function jpegOf(pixels: Uint8Array, side: number, quality: number): Promise<Blob> {
  const image = new ImageData(side, side);
  const { data } = image;
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    data[to] = pixels[from];
    data[to + 1] = pixels[from + 1];
    data[to + 2] = pixels[from + 2];
    data[to + 3] = 255;
  }
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d", { willReadFrequently: true })!.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}
