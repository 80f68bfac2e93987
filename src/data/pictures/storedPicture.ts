// A picture before it is decoded: bytes as somebody stored them, and what kind of bytes they are.

import { isNetpbm } from "../../formats/netpbm.ts";
import type { ImageSize } from "../imageSize.ts";
import type { PictureCrop } from "./crop.ts";

/** A picture before it is decoded. */
export interface StoredPicture {
  /** A JPEG, PNG, WebP, PGM or PPM file; or pixels, row by row, channels last, where `raw` is there. */
  readonly bytes: Uint8Array;
  /** Of raw pixels; 1, 3 or 4 channels, the fourth being alpha. */
  readonly raw?: ImageSize;
  /** Which part of the upright picture is looked at; the largest centred one where absent. */
  readonly crop?: PictureCrop;
}

/** The largest picture that is decoded, in pixels: 8192 x 8192, which take 200 MB, and as much again to be turned. */
export const largestPicture = 2 ** 26;

export type PictureFormat = "jpeg" | "png" | "webp" | "netpbm";

/** Endings of the file names that are taken for pictures, lower case. */
export const pictureEndings = [".jpg", ".jpeg", ".png", ".webp", ".pgm", ".ppm"] as const;

/** What the first bytes say; names of files and of features may lie. Undefined for anything else. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  const begins = (at: number, ...values: number[]) => values.every((value, i) => bytes[at + i] === value);
  if (begins(0, 0xff, 0xd8, 0xff)) return "jpeg";
  if (begins(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "png";
  if (begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50)) return "webp"; // RIFF ... WEBP
  return isNetpbm(bytes) ? "netpbm" : undefined;
}

/** Endings of pictures that are passed over: other formats, and other names of those that are taken. */
const otherEndings = new Set(
  ".jfif .jpe .jp2 .jxl .bmp .dib .gif .tif .tiff .heic .heif .avif .apng .pbm .pnm .pam .tga .dng .cr2 .nef .arw".split(
    " ",
  ),
);

/** Of a file's name, lower case, with the dot. */
export const endingOf = (name: string): string => name.slice(name.lastIndexOf(".")).toLowerCase();

/** Whether a file's name ends as a picture's does. */
export function isPictureName(name: string): boolean {
  return (pictureEndings as readonly string[]).includes(endingOf(name));
}

/** Whether it ends as that of a picture which is not taken. */
export function isOtherPictureName(name: string): boolean {
  return otherEndings.has(endingOf(name));
}
