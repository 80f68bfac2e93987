// What the command line uses of the library beyond its public API. Its package asks for exactly this version, so nothing here
// is a promise: other programs use `twingrad`, `twingrad/node` and `twingrad/web`.
export type { Augmentation } from "./data/augmentation/draw.ts";
export { resolveRanges } from "./data/augmentation/ranges.ts";
export { defaultPrefetch } from "./data/batches.ts";
export { indicesByIdentity, subset } from "./data/dataset.ts";
export { byName } from "./data/names.ts";
export { cropInWords, cropOf } from "./data/pictures/crop.ts";
export { Random, streams } from "./data/random.ts";
export type { EvaluationPair } from "./data/sampling/evaluationPairs.ts";
export { picturesOfEach } from "./data/sampling/sampler.ts";
export { livenessRecords } from "./data/sources/livenessDataset.ts";
export { featureNames, labelledPicture } from "./data/sources/recordFeatures.ts";
export { isFold } from "./data/split.ts";
export { normalQuantile, shareInterval } from "./evaluation/bootstrap.ts";
export { decode, type Safetensors } from "./formats/safetensors.ts";
export { withMetadata } from "./formats/seal.ts";
export type { Compression, Example } from "./formats/tfrecord/codec.ts";
export { uncompressed } from "./formats/tfrecord/compression.ts";
export { frame, largestRecord, readRecords } from "./formats/tfrecord/framing.ts";
export { recordCodec } from "./formats/tfrecord/recordCodec.ts";
export { parseTuningTable } from "./formats/tuningTable.ts";
export { openSaved, type SavedModel } from "./model/modelFile.ts";
export type { TowerAlignment } from "./model/pictures.ts";
export { areViews, viewKinds } from "./model/views.ts";
export { whiten } from "./model/whitening.ts";
export { embeddingLength } from "./nn/network.ts";
export { towerKinds } from "./nn/towers.ts";
export { boxOf } from "./node/files/boxes.ts";
export { diskError } from "./node/files/disk.ts";
export {
  checkpointsFolder,
  modelFile,
  modelFileOf,
  readModelFile,
  removeParts,
  taskOfModel,
  writeAtomic,
} from "./node/files/files.ts";
export { pictureSize } from "./node/files/images.ts";
export { fileSource, recordFiles, recordFilesIn } from "./node/tfrecord/recordFiles.ts";
export { scheduleKinds } from "./optim/schedule.ts";
export { oneShotAnswers } from "./recognition/assessment.ts";
export { verification } from "./recognition/gallery.ts";
export { livenessLogits, meanLoss } from "./recognition/livenessAssessment.ts";
export { checkLivenessThreshold, livenessKey, scoreOf, withLivenessJudgement } from "./recognition/livenessModel.ts";
export { matches, personSearch, representatives } from "./recognition/match.ts";
export { judgementKey } from "./recognition/recognitionModel.ts";
export { Augmenter } from "./train/augmenter.ts";
export { StepsInFlight } from "./train/inFlight.ts";
export { comparesAll, lossNames, minings } from "./train/loss.ts";
export { exhausted, judged, nothingSelected, type Selection } from "./train/selection.ts";
