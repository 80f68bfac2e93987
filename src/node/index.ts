// The Node side of the library: a device, folders of pictures, models as files.
export * from "../data/index.ts";
export { readableItems } from "../data/readable.ts";
export type { RecordOptions } from "../data/records/dataset.ts";
export { CorruptRecordError } from "../data/records/framing.ts";
export { oneShotAccuracy } from "../recognition/oneshot.ts";
export { type VerificationReport, verificationReport } from "../recognition/protocol.ts";
export { assess, assessOneShot } from "./assessment.ts";
export { diskFolder } from "./checkpointFolder.ts";
export { openDevice } from "./device.ts";
export { imageFolder, livenessImages, loadLivenessModel, loadModel, saveModel } from "./files.ts";
export { decodePicture, readPicture } from "./images.ts";
export { type OneShotRuns, type PairProtocol, readOneShotRuns, readPairs } from "./protocols.ts";
export { tfrecords } from "./records.ts";
export { type WriteRecordsOptions, type WrittenRecords, writeRecords } from "./recordWriter.ts";
export { fileTuningStore } from "./tuning.ts";
