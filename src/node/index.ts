// The Node side of the library: a device, folders of pictures, models as files.
export type { Dataset, ImageSize, Item } from "../data/dataset.ts";
export { openDevice } from "./device.ts";
export { imageFolder, loadModel, saveModel } from "./files.ts";
export { decodePicture, readPicture } from "./images.ts";
