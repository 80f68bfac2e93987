// Pixels as picture files, encoded by the browser.

/** @param pixels row by row, channels last: gray or RGB. */
export function pictureFile(
  pixels: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
  options: ImageEncodeOptions = { type: "image/jpeg", quality: 0.85 },
): Promise<Blob> {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels * i + Math.min(c, channels - 1)];
    image.data[4 * i + 3] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas.convertToBlob(options);
}

export async function dataUri(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return `data:${file.type};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}
