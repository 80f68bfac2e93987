// The Node side of the library: a device, folders of pictures, models as files.
export {
  balancedPairs,
  type ClassExample,
  type PerClassOptions,
  perClass,
  type Triplet,
  triplets,
} from "../data/balanced.ts";
export {
  type BatchOptions,
  type BatchStream,
  batches,
  classBatches,
  type LoadedClasses,
  type LoadedPairs,
  type LoadedTriplets,
  type LoadingOptions,
  tripletBatches,
} from "../data/batches.ts";
export { type Dataset, type ImageSize, type Item, labelsOf, splitIdentities } from "../data/dataset.ts";
export { DecodedImages, type DecodedImagesOptions } from "../data/decodedImages.ts";
export { allPairs, oneShotTrials, pairsPerIdentity } from "../data/evaluation.ts";
export { type FilteredPairsOptions, filteredPairs, type Pair } from "../data/pairs.ts";
export type { RecordOptions } from "../data/records/dataset.ts";
export { CorruptRecordError } from "../data/records/framing.ts";
export type { Sampler, SamplerState } from "../data/sampler.ts";
export { balancingDifferentProbability, expectedPairs, yieldWarnings } from "../data/yield.ts";
export { oneShotAccuracy } from "../recognition/oneshot.ts";
export { type VerificationReport, verificationReport } from "../recognition/protocol.ts";
export { assess, assessOneShot } from "./assessment.ts";
export { openDevice } from "./device.ts";
export { imageFolder, loadModel, saveModel } from "./files.ts";
export { decodePicture, readPicture } from "./images.ts";
export { type OneShotRuns, type PairProtocol, readOneShotRuns, readPairs } from "./protocols.ts";
export { tfrecords } from "./records.ts";
export { type WriteRecordsOptions, type WrittenRecords, writeRecords } from "./recordWriter.ts";
export { fileTuningStore } from "./tuning.ts";
