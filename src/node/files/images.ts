// Decodes a stored picture to a network's input: upright, with the wanted channels, center-cropped to the wanted aspect
// ratio and resized with antialiasing.
import { readFile } from "node:fs/promises";
import type { Sharp } from "sharp";
import { shownScale } from "../../data/detection/chooseFace.ts";
import type { FaceLandmarks, Pixels } from "../../data/detection/faceFinder.ts";
import { frameToPicture, resampledThrough, shownPart } from "../../data/detection/faceFrame.ts";
import type { ImageSize } from "../../data/imageSize.ts";
import { shown } from "../../data/names.ts";
import { croppedPart, type PictureCrop } from "../../data/pictures/crop.ts";
import { largestPicture, pictureFormat, type StoredPicture } from "../../data/pictures/storedPicture.ts";
import { TwingradError } from "../../errors.ts";
import { decodeNetpbm } from "../../formats/netpbm.ts";
import { loadPackage } from "../packages.ts";
import { diskError } from "./diskError.ts";

type SharpModule = typeof import("sharp").default;

let loading: Promise<SharpModule> | undefined;

function loadSharp(): Promise<SharpModule> {
  loading ??= loadPackage("sharp", "Decoding pictures in Node", async () => {
    const { default: sharp } = await import("sharp");
    // Each picture is decoded by one thread, several pictures at a time; the library's own cache would keep every file.
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  });
  return loading;
}

/**
 * Decodes JPEG, PNG, WebP, PGM, PPM or raw pixels to uint8 [H, W, C]. EXIF orientation and color profile are applied;
 * CMYK without a profile is converted as ideal inks; transparency becomes black; 16 bits become 8; one channel is
 * luminance. The picture is cropped to the largest centered part with the wanted aspect ratio, or to its box.
 * @throws BAD_INPUT for channels other than 1 or 3; CORRUPT_FILE for bytes that cannot be decoded completely.
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { decodePicture } from "twingrad/node";
 *
 * const pixels = await decodePicture(await readFile("ada.jpg"), [56, 46, 1]); // Uint8Array [56, 46, 1]
 * ```
 */
export async function decodePicture(
  picture: Uint8Array | StoredPicture,
  [height, width, channels]: ImageSize,
): Promise<Uint8Array> {
  if (channels !== 1 && channels !== 3) {
    throw new TwingradError("BAD_INPUT", `Invalid number of channels ${channels}: expected 1 (gray) or 3 (color).`);
  }
  const stored = picture instanceof Uint8Array ? { bytes: picture } : picture;
  return decoding(async () => {
    const image = await upright(stored);
    if (stored.crop) {
      const { height: tall, width: wide } = await pictureSize(stored);
      const { landmarks, margin } = stored.crop;
      if (landmarks) return alignedFace(image, landmarks, margin, [tall, wide], [height, width, channels]);
      image.extract(croppedPart(stored.crop, [tall, wide], [height, width]));
    }
    const { data, info } = await image
      .resize(width, height, { fit: "cover", position: "centre", kernel: "lanczos3" })
      .toColorspace(channels === 1 ? "b-w" : "srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) {
      const reason = `the decoder returned ${info.channels} channels; expected ${channels}`;
      throw new TwingradError("CORRUPT_FILE", reason);
    }
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
}

/** A face aligned to the standard frame: decodes its surroundings, and resamples them by the map from its landmarks. */
async function alignedFace(
  image: Sharp,
  landmarks: FaceLandmarks,
  margin: number,
  whole: readonly [number, number],
  [height, width, channels]: ImageSize,
): Promise<Uint8Array> {
  const map = frameToPicture(landmarks, [height, width], margin);
  const part = shownPart(map, [height, width], whole);
  const pixels = await image
    .extract(part)
    .toColorspace(channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer();
  const inPart = { ...map, x0: map.x0 - part.left, y0: map.y0 - part.top };
  return resampledThrough(inPart, pixels, [part.height, part.width, channels], [height, width]);
}

/**
 * The upright picture in RGB, its longer side at most `longestSide`, for a `FaceFinder`; `scale` is the factor of the
 * downscaling.
 */
export async function wholePicture(picture: StoredPicture): Promise<Pixels & { readonly scale: number }> {
  return decoding(async () => {
    const { height, width } = await pictureSize(picture);
    const scale = shownScale(height, width);
    const [tall, wide] = [height, width].map((side) => Math.max(1, Math.round(side * scale)));
    const data = await (await upright(picture))
      .resize(wide, tall, { fit: "fill" })
      .toColorspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), height: tall, width: wide, scale };
  });
}

/** Height and width of the upright picture, from its header. */
export async function pictureSize({ bytes, raw }: StoredPicture): Promise<{ height: number; width: number }> {
  if (raw) return { height: raw[0], width: raw[1] };
  return decoding(async () => {
    if (formatOf(bytes) === "netpbm") return decodeNetpbm(bytes);
    const { autoOrient } = await (await open(bytes)).metadata();
    return autoOrient;
  });
}

/**
 * The picture as a file that every reader of JPEG and PNG decodes alike: an upright JPEG or PNG in gray or color
 * unchanged; anything else as a lossless upright PNG.
 */
export async function portablePicture(picture: StoredPicture): Promise<Uint8Array> {
  return decoding(async () => {
    const format = picture.raw ? undefined : formatOf(picture.bytes);
    if (format === "jpeg" || format === "png") {
      const { orientation = 1, space } = await (await open(picture.bytes)).metadata();
      if (orientation === 1 && space !== "cmyk") return picture.bytes;
    }
    const image = await upright(picture);
    const gray = picture.raw?.[2] === 1 || (await image.metadata()).channels === 1;
    const png = await (gray ? image.toColorspace("b-w") : image).png().toBuffer();
    return new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
  });
}

async function upright({ bytes, raw }: StoredPicture): Promise<Sharp> {
  const sharp = await loadSharp();
  const onBlack = (image: Sharp) => image.flatten({ background: "#000000" });
  if (raw) {
    const [height, width, channels] = raw;
    return onBlack(sharp(bytes, { raw: { height, width, channels: channels as 1 | 3 | 4 } }));
  }
  if (formatOf(bytes) === "netpbm") {
    const { pixels, ...header } = decodeNetpbm(bytes);
    return sharp(pixels, { raw: header });
  }
  const { space, hasProfile } = await (await open(bytes)).metadata();
  return space === "cmyk" && !hasProfile ? idealInks(bytes) : onBlack((await open(bytes)).autoOrient());
}

async function open(bytes: Uint8Array): Promise<Sharp> {
  const sharp = await loadSharp();
  return sharp(bytes, { failOn: "error", limitInputPixels: largestPicture });
}

function formatOf(bytes: Uint8Array) {
  if (bytes.length === 0) throw new TwingradError("CORRUPT_FILE", "the file is empty");
  const format = pictureFormat(bytes);
  if (!format) throw new TwingradError("CORRUPT_FILE", "this is not a JPEG, PNG, WebP, PGM or PPM file");
  return format;
}

/** CMYK without a profile, as browsers and most tools convert it: R = (1 - C) (1 - K). */
async function idealInks(bytes: Uint8Array): Promise<Sharp> {
  const sharp = await loadSharp();
  const image = (await open(bytes)).autoOrient();
  const decoded = image.pipelineColorspace("cmyk").toColorspace("cmyk").raw({ depth: "uchar" });
  const { data, info } = await decoded.toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const pixels = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - data[4 * pixel + 3];
    for (let c = 0; c < 3; c++) pixels[3 * pixel + c] = Math.round(((255 - data[4 * pixel + c]) * light) / 255);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function decoding<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TwingradError) throw error;
    throw new TwingradError("CORRUPT_FILE", inWords(error as Error), { cause: error });
  }
}

/** The decoder's own words are about its streams, or "Unknown error". */
function inWords({ message }: Error): string {
  const words = oneLine(message).replace(/:\s*$/, "");
  if (/pixel limit/.test(words)) return words;
  return `the picture is truncated or damaged${words === "Unknown error" ? "" : `: ${words}`}`;
}

/**
 * Reads and decodes a picture file, as `decodePicture`; every error names the file.
 * @param crop the picture's crop, with its box.
 * @example
 * ```ts
 * import { readPicture } from "twingrad/node";
 *
 * const embedding = await model.embed(await readPicture("ada.jpg", model.imageSize));
 * ```
 */
export async function readPicture(path: string, size: ImageSize, crop?: PictureCrop): Promise<Uint8Array> {
  return namingFile(path, async () => decodePicture({ bytes: await read(path), crop }, size));
}

/** The file's bytes, undecoded; every error names the file. */
export async function readStored(path: string, crop?: PictureCrop): Promise<StoredPicture> {
  return namingFile(path, async () => ({ bytes: new Uint8Array(await read(path)), crop }));
}

const read = (path: string) =>
  readFile(path).catch((error: Error) => {
    throw diskError(path, "read", error);
  });

async function namingFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TwingradError && error.message.startsWith(path)) throw error;
    const code = error instanceof TwingradError ? error.code : "BAD_INPUT";
    throw new TwingradError(code, `${shown(path)}: ${oneLine((error as Error).message)}`, { cause: error });
  }
}

const oneLine = (text: string) => text.split("\n").filter(Boolean).join("; ");
