// Additions for pages and workers to the core.

export type { FaceApi } from "../data/detection/faceApiFinder.ts";
export { CorruptRecordError } from "../formats/tfrecord/framing.ts";
export { imageFiles, type PageDataOptions, type RecordInput, tfrecords } from "./datasets.ts";
export { decodeHere } from "./decodePicture.ts";
export { PageDecoder, type PageDecoderOptions } from "./decoder.ts";
export { browserFaceFinder, faceApiInPage, pagePictures } from "./faceFinders.ts";
export { originPrivateFolder } from "./originPrivateFolder.ts";
export { pageTuningStore } from "./tuning.ts";
