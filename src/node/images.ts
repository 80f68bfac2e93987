// Any picture file to the pixels that a network takes: upright, in the wanted channels, cropped to the wanted shape
// about its centre and resized without aliasing.
import { readFile } from "node:fs/promises";
import sharp, { type Sharp } from "sharp";
import type { ImageSize } from "../data/dataset.ts";
import { TwingradError } from "../gpu/errors.ts";
import { decodeNetpbm, isNetpbm } from "./netpbm.ts";

/** Endings of the file names that are taken for pictures, lower case. */
export const pictureEndings = [".jpg", ".jpeg", ".png", ".webp", ".pgm", ".ppm"] as const;

// Each picture is decoded by one thread, several pictures at a time; the library's own cache would keep every file.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes JPEG, PNG, WebP, PGM or PPM to uint8 [H, W, C]. EXIF orientation and colour profile are applied; what is
 * transparent turns black; one channel is luminance. The largest centred part of the wanted shape is kept.
 * @throws BAD_INPUT for channels other than 1 or 3; CORRUPT_FILE for bytes that cannot be decoded whole.
 */
export async function decodePicture(bytes: Uint8Array, [height, width, channels]: ImageSize): Promise<Uint8Array> {
  if (channels !== 1 && channels !== 3) {
    throw new TwingradError("BAD_INPUT", `pictures have 1 channel (grey) or 3 (colour), not ${channels}`);
  }
  const { data, info } = await upright(bytes)
    .resize(width, height, { fit: "cover", position: "centre", kernel: "lanczos3" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: Error) => {
      throw new TwingradError("CORRUPT_FILE", oneLine(error.message), { cause: error });
    });
  if (info.channels !== channels) {
    throw new Error(`the decoder gave ${info.channels} channels where ${channels} were asked for`);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function upright(bytes: Uint8Array): Sharp {
  if (bytes.length === 0) throw new TwingradError("CORRUPT_FILE", "the file is empty");
  if (!isNetpbm(bytes)) return sharp(bytes, { failOn: "error" }).autoOrient().flatten({ background: "#000000" });
  const { pixels, ...raw } = decodeNetpbm(bytes);
  return sharp(pixels, { raw });
}

/** `decodePicture` of a file; every error names it. */
export async function readPicture(path: string, size: ImageSize): Promise<Uint8Array> {
  try {
    return await decodePicture(await readFile(path), size);
  } catch (error) {
    const code = error instanceof TwingradError ? error.code : "BAD_INPUT";
    throw new TwingradError(code, `${path}: ${oneLine((error as Error).message)}`, { cause: error });
  }
}

const oneLine = (text: string) => text.split("\n").filter(Boolean).join("; ");
