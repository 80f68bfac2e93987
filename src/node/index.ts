// The Node side of the library: a device, folders of pictures, models as files.
export * from "../data/index.ts";
export { readableItems } from "../data/readableItems.ts";
export type { RecordOptions } from "../data/sources/recordDataset.ts";
export * from "../evaluation/index.ts";
export { assess, assessOneShot } from "../recognition/assessment.ts";
export { type Judgement, withJudgement } from "../recognition/recognitionModel.ts";
export { openDevice } from "./adapter/device.ts";
export { openFaceFinder } from "./faces/faceFinder.ts";
export { nodePictures } from "./faces/pictures.ts";
export { diskFolder } from "./files/checkpointFolder.ts";
export { imageFolder, livenessImages } from "./files/imageFolders.ts";
export { decodePicture, readPicture } from "./files/images.ts";
export { loadLivenessModel, loadModel, saveModel } from "./files/modelFiles.ts";
export { type OneShotRuns, type PairProtocol, readOneShotRuns, readPairs } from "./files/protocolFiles.ts";
export { fileTuningStore } from "./files/tuning.ts";
export { mpi } from "./mpi/mpi.ts";
export { type WriteRecordsOptions, type WrittenRecords, writeRecords } from "./tfrecord/recordWriter.ts";
export { tfrecords } from "./tfrecord/tfrecords.ts";
