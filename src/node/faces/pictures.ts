// How Node decodes the photographs that faces are found in.
import type { PictureDecoder } from "../../data/detection/faceDataset.ts";
import { decodePicture, readStored, wholePicture } from "../files/images.ts";

/** How Node decodes the photographs that faces are found in: see `faceDataset`. `read` reads a file undecoded. */
export const nodePictures: PictureDecoder & { readonly read: typeof readStored } = {
  decode: decodePicture,
  whole: wholePicture,
  read: readStored,
};
