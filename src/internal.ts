// What the command line uses of the library beyond its public API. Its package asks for exactly this version, so nothing here
// is a promise: other programs use `twingrad`, `twingrad/node` and `twingrad/web`.
export type { Augmentation } from "./data/augmentation/drawAugmentation.ts";
export { resolveRanges } from "./data/augmentation/ranges.ts";
export { defaultPrefetch } from "./data/batches.ts";
export { changed, indicesByIdentity, subset } from "./data/dataset.ts";
export { faceFaults, faultInWords } from "./data/detection/chooseFace.ts";
export { faceDataset, faceOf } from "./data/detection/faceDataset.ts";
export { grouped, groupRule, groupsOf, pictured, splitGroups } from "./data/groups.ts";
export { firstNames, readableName, shown } from "./data/names.ts";
export { byNaturalOrder } from "./data/naturalOrder.ts";
export { cropInWords, cropOf } from "./data/pictures/crop.ts";
export { largestPicture } from "./data/pictures/storedPicture.ts";
export { Random, streams } from "./data/random.ts";
export { isUnreadable } from "./data/readableItems.ts";
export type { EvaluationPair } from "./data/sampling/evaluationPairs.ts";
export { picturesOfEach } from "./data/sampling/sampler.ts";
export { livenessRecords } from "./data/sources/livenessDataset.ts";
export { featureNames, labeledPicture } from "./data/sources/recordFeatures.ts";
export { isFold } from "./data/split.ts";
export { inBytes } from "./errors.ts";
export { normalQuantile, shareInterval } from "./evaluation/bootstrap.ts";
export { decode, type Safetensors } from "./formats/safetensors.ts";
export { withMetadata } from "./formats/seal.ts";
export { textOf } from "./formats/textBytes.ts";
export { uncompressed } from "./formats/tfrecord/compression.ts";
export { frame, largestRecord, readRecords } from "./formats/tfrecord/framing.ts";
export { recordCodec } from "./formats/tfrecord/recordCodec.ts";
export type { Compression, Example } from "./formats/tfrecord/recordTypes.ts";
export { parseTuningTable } from "./formats/tuningTable.ts";
export { comparesAll, lossNames, minings } from "./model/description.ts";
export { fingerprintOf, fingerprintOfModel } from "./model/fingerprint.ts";
export { addedIn, openSaved, type SavedModel } from "./model/modelFile.ts";
export type { TowerAlignment } from "./model/pictures.ts";
export { areViews, viewKinds } from "./model/views.ts";
export { whiten } from "./model/whitening.ts";
export { embeddingLength } from "./nn/network.ts";
export { embeddingActivations, towerKinds } from "./nn/networkOptions.ts";
export { type AdapterReport, adapterReports, version } from "./node/adapter/adapters.ts";
export { openFacesFile } from "./node/faces/facesFile.ts";
export { nodePictures } from "./node/faces/pictures.ts";
export { diskError, makeFolder, statOf } from "./node/files/diskError.ts";
export { pictureSize } from "./node/files/images.ts";
export { FileLock } from "./node/files/lock.ts";
export {
  checkOutputs,
  checkpointsFolder,
  modelFileOf,
  readModelFile,
  taskOfModel,
  writeOutput,
  writeOutputs,
} from "./node/files/modelFiles.ts";
export { boxesOf } from "./node/files/pictureBoxes.ts";
export { readText } from "./node/files/textFiles.ts";
export { isUnfinished, markFinished, markUnfinished, modelFile, olderThanItsFolder } from "./node/files/unfinished.ts";
export { updateFile } from "./node/files/updateFile.ts";
export { fileAt, removeParts, writeAtomic } from "./node/files/writeAtomic.ts";
export { beginsLikeRecords, fileSource, recordFiles, recordFilesIn } from "./node/tfrecord/recordFiles.ts";
export { scheduleKinds } from "./optim/schedule.ts";
export { nearest, renamedOptions, withPresentNames } from "./options.ts";
export { answersOf, oneShotAnswers } from "./recognition/evaluateModel.ts";
export { verification } from "./recognition/gallery.ts";
export { livenessLogits, meanLoss } from "./recognition/livenessLogits.ts";
export {
  checkLivenessThreshold,
  livenessKey,
  scoreOf,
  withLivenessOperatingPoint,
} from "./recognition/livenessModel.ts";
export { matches, personSearch, representatives } from "./recognition/match.ts";
export { operatingPointKey } from "./recognition/recognitionModel.ts";
export { Augmenter } from "./train/augmenter.ts";
export { broadcast } from "./train/distributed/communicator.ts";
export { expectSame } from "./train/distributed/expectSame.ts";
export { exhausted, nothingSelected, type Selection, select } from "./train/selection.ts";
export { StepsInFlight } from "./train/stepsInFlight.ts";
