// How Node decodes the photographs that faces are found in.
import type { PictureDecoder } from "../../data/detection/faceDataset.ts";
import { decodePicture, readStored, wholePicture } from "../files/images.ts";

export const nodePictures: PictureDecoder & { readonly read: typeof readStored } = {
  decode: decodePicture,
  whole: wholePicture,
  read: readStored,
};
