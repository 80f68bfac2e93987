// Decodes photographs for face detection in Node.
import type { PictureDecoder } from "../../data/detection/faceDataset.ts";
import { decodePicture, readStored, wholePicture } from "../files/images.ts";

/** Decodes photographs for face detection in Node: see `faceDataset`. `read` reads a file without decoding it. */
export const nodePictures: PictureDecoder & { readonly read: typeof readStored } = {
  decode: decodePicture,
  whole: wholePicture,
  read: readStored,
};
