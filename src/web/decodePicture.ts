// Decodes stored pictures with the browser's decoders: the counterpart of src/node/files/images.ts, which uses sharp.

import { shownScale } from "../data/detection/chooseFace.ts";
import type { FaceLandmarks, Pixels } from "../data/detection/faceFinder.ts";
import { frameToPicture, resampledThrough, shownPart } from "../data/detection/faceFrame.ts";
import type { ImageSize } from "../data/imageSize.ts";
import { centeredPart, croppedPart, type Rectangle } from "../data/pictures/crop.ts";
import { largestPicture, pictureFormat, type StoredPicture } from "../data/pictures/storedPicture.ts";
import { TwingradError } from "../errors.ts";
import { decodeNetpbm } from "../formats/netpbm.ts";

/**
 * Decodes JPEG, PNG, WebP, PGM, PPM or raw pixels to uint8 [H, W, C], in the calling thread. EXIF orientation and color
 * profile are applied; transparency becomes black; one channel is luminance. The picture is cropped to the largest
 * centered part with the wanted aspect ratio, or to its box, and resized by the browser, whose pixels differ slightly
 * from sharp's.
 * @throws BAD_INPUT for channels other than 1 or 3; CORRUPT_FILE for bytes that cannot be decoded.
 * @example
 * ```ts
 * import { decodeHere } from "twingrad/web";
 *
 * const response = await fetch("ada.jpg");
 * const pixels = await decodeHere(new Uint8Array(await response.arrayBuffer()), [56, 46, 1]);
 * ```
 */
export async function decodeHere(picture: Uint8Array | StoredPicture, size: ImageSize): Promise<Uint8Array> {
  const [height, width, channels] = size;
  if (channels !== 1 && channels !== 3) {
    throw new TwingradError("BAD_INPUT", `Invalid number of channels ${channels}: expected 1 (gray) or 3 (color).`);
  }
  const whole = await bitmapOf(picture instanceof Uint8Array ? { bytes: picture } : picture);
  try {
    if (whole.width * whole.height > largestPicture) {
      throw new TwingradError("CORRUPT_FILE", `the picture is too large: ${whole.width} x ${whole.height} pixels`);
    }
    const crop = picture instanceof Uint8Array ? undefined : picture.crop;
    const [own, wanted] = [[whole.height, whole.width] as const, [height, width] as const];
    if (crop?.landmarks) return alignedFace(whole, crop.landmarks, crop.margin, size);
    const part = crop ? croppedPart(crop, own, wanted) : centeredPart(own, wanted);
    const resize = { resizeWidth: width, resizeHeight: height, resizeQuality: "high" } as const;
    const fitted = await createImageBitmap(whole, part.left, part.top, part.width, part.height, resize);
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, alpha: false })!;
    context.drawImage(fitted, 0, 0); // on black: the canvas is opaque
    fitted.close();
    return withChannels(context.getImageData(0, 0, width, height).data, channels);
  } finally {
    whole.close();
  }
}

/** A face aligned to the standard frame, as in src/node/files/images.ts. */
function alignedFace(
  whole: ImageBitmap,
  landmarks: FaceLandmarks,
  margin: number,
  [height, width, channels]: ImageSize,
) {
  const map = frameToPicture(landmarks, [height, width], margin);
  const part = shownPart(map, [height, width], [whole.height, whole.width]);
  const rgba = pixelsOf(whole, part, [part.height, part.width]);
  const inPart = { ...map, x0: map.x0 - part.left, y0: map.y0 - part.top };
  const own = channels as 1 | 3;
  return resampledThrough(inPart, withChannels(rgba, own), [part.height, part.width, own], [height, width]);
}

function pixelsOf(whole: ImageBitmap, part: Rectangle, [height, width]: readonly [number, number]): Uint8ClampedArray {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, alpha: false })!;
  context.drawImage(whole, part.left, part.top, part.width, part.height, 0, 0, width, height); // on black: it is opaque
  return context.getImageData(0, 0, width, height).data;
}

/**
 * The upright picture in RGB, its longer side at most `longestSide`, for a `FaceFinder`; `scale` is the factor of the
 * downscaling.
 */
export async function wholePicture(picture: StoredPicture): Promise<Pixels & { readonly scale: number }> {
  const whole = await bitmapOf(picture);
  try {
    const { height, width } = whole;
    const scale = shownScale(height, width);
    const [tall, wide] = [height, width].map((side) => Math.max(1, Math.round(side * scale)));
    const rgba = pixelsOf(whole, { left: 0, top: 0, width, height }, [tall, wide]);
    return { data: withChannels(rgba, 3), height: tall, width: wide, scale };
  } finally {
    whole.close();
  }
}

async function bitmapOf({ bytes, raw }: StoredPicture): Promise<ImageBitmap> {
  if (raw) return bitmapOfPixels(bytes, raw);
  if (bytes.length === 0) throw new TwingradError("CORRUPT_FILE", "the file is empty");
  const format = pictureFormat(bytes);
  if (!format) throw new TwingradError("CORRUPT_FILE", "this is not a JPEG, PNG, WebP, PGM or PPM file");
  if (format === "netpbm") {
    const { pixels, height, width, channels } = decodeNetpbm(bytes);
    return bitmapOfPixels(pixels, [height, width, channels]);
  }
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: `image/${format}` });
  return createImageBitmap(blob, { imageOrientation: "from-image" }).catch((error: Error) => {
    throw new TwingradError("CORRUPT_FILE", `the ${format} file cannot be decoded: ${error.message}`, { cause: error });
  });
}

/** For pixels row by row, with 1, 3 or 4 channels, the fourth being alpha. */
function bitmapOfPixels(pixels: Uint8Array, [height, width, channels]: ImageSize): Promise<ImageBitmap> {
  if (pixels.length !== height * width * channels || ![1, 3, 4].includes(channels)) {
    throw new TwingradError(
      "CORRUPT_FILE",
      `${pixels.length} raw values are not a ${height}x${width} picture with ${channels} channels`,
    );
  }
  const rgba = new Uint8ClampedArray(4 * height * width).fill(255);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < Math.max(3, channels); c++) {
      rgba[4 * pixel + c] = pixels[channels * pixel + Math.min(c, channels - 1)];
    }
  }
  return createImageBitmap(new ImageData(rgba, width, height));
}

function withChannels(rgba: Uint8ClampedArray, channels: 1 | 3): Uint8Array {
  const pixels = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const [r, g, b] = [rgba[from], rgba[from + 1], rgba[from + 2]];
    if (channels === 3) {
      pixels[to++] = r;
      pixels[to++] = g;
      pixels[to++] = b;
    } else pixels[to++] = r === g && g === b ? r : luminance(r, g, b);
  }
  return pixels;
}

/** The luminance of linear light, with the weights of ITU-R BT.709 as in libvips, encoded as sRGB (IEC 61966-2-1). */
function luminance(r: number, g: number, b: number): number {
  const linear = 0.2126 * toLinear[r] + 0.7152 * toLinear[g] + 0.0722 * toLinear[b];
  const encoded = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * encoded);
}

const toLinear = Float64Array.from({ length: 256 }, (_, value) => {
  const encoded = value / 255;
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
});
