// A picture before it is decoded: the stored bytes and their format.

import { isNetpbm } from "../../formats/netpbm.ts";
import type { ImageSize } from "../imageSize.ts";
import type { PictureCrop } from "./crop.ts";

/** A picture before it is decoded. */
export interface StoredPicture {
  /** A JPEG, PNG, WebP, PGM or PPM file; or, where `raw` is present, pixels, row by row, channels last. */
  readonly bytes: Uint8Array;
  /** The size of raw pixels; 1, 3 or 4 channels, the fourth being alpha. */
  readonly raw?: ImageSize;
  /** How the upright picture is cropped; absent: to the largest centered part. */
  readonly crop?: PictureCrop;
}

/** The largest picture that is decoded, in pixels: 8192 x 8192, which need 200 MB, and as much again for rotation. */
export const largestPicture = 2 ** 26;

export type PictureFormat = "jpeg" | "png" | "webp" | "netpbm";

/** File name extensions of supported pictures, lower case. */
export const pictureEndings = [".jpg", ".jpeg", ".png", ".webp", ".pgm", ".ppm"] as const;

/** The format by the first bytes, since file names and features may be wrong. Undefined for any other format. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  const begins = (at: number, ...values: number[]) => values.every((value, i) => bytes[at + i] === value);
  if (begins(0, 0xff, 0xd8, 0xff)) return "jpeg";
  if (begins(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "png";
  if (begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50)) return "webp"; // RIFF ... WEBP
  return isNetpbm(bytes) ? "netpbm" : undefined;
}

/** Extensions of unsupported pictures: other formats, and other names of supported ones. */
const otherEndings = new Set(
  ".jfif .jpe .jp2 .jxl .bmp .dib .gif .tif .tiff .heic .heif .avif .apng .pbm .pnm .pam .tga .dng .cr2 .nef .arw".split(
    " ",
  ),
);

/** The extension of a file name, lower case, with the dot. */
export const endingOf = (name: string): string => name.slice(name.lastIndexOf(".")).toLowerCase();

/** Whether a file name has the extension of a supported picture. */
export function isPictureName(name: string): boolean {
  return (pictureEndings as readonly string[]).includes(endingOf(name));
}

/** Whether a file name has the extension of an unsupported picture. */
export function isOtherPictureName(name: string): boolean {
  return otherEndings.has(endingOf(name));
}
