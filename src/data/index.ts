// The data stream, for every runtime: from labeled pictures to batches. Re-exports only.

export type { Box } from "../formats/box.ts";
export { CorruptRecordError } from "../formats/tfrecord/framing.ts";
export { aligned, alignedDataset, fitAlignment } from "./alignment/alignment.ts";
export type { Alignment } from "./alignment/alignmentForm.ts";
export type { Batch, ClassBatch, LivenessBatch, PairBatch, Pictures, TripletBatch } from "./batch.ts";
export {
  type BatchOptions,
  type BatchStream,
  batches,
  classBatches,
  type LoadedClasses,
  type LoadedLiveness,
  type LoadedPairs,
  type LoadedTriplets,
  type LoadingOptions,
  livenessBatches,
  type Share,
  tripletBatches,
} from "./batches.ts";
export { type Dataset, type Item, identityGroups, labelsOf } from "./dataset.ts";
export { DecodedImages, type DecodedImagesOptions } from "./decodedImages.ts";
export {
  type ChosenFace,
  defaultPolicy,
  type FaceAction,
  type FaceFault,
  type FacePolicy,
} from "./detection/chooseFace.ts";
export { type FaceOptions, type FaceStore, faceDataset, type PictureDecoder } from "./detection/faceDataset.ts";
export type { FaceFinder, FaceLandmarks, FoundFace, Pixels, Point } from "./detection/faceFinder.ts";
export type { ImageSize } from "./imageSize.ts";
export type { CropOptions, PictureCrop } from "./pictures/crop.ts";
export { rotatedIdentities } from "./pictures/rotated.ts";
export type { StoredPicture } from "./pictures/storedPicture.ts";
export {
  balancedPairs,
  type ClassExample,
  type PerClassOptions,
  perClass,
  type Triplet,
  triplets,
} from "./sampling/balanced.ts";
export {
  allPairs,
  type EvaluationPair,
  oneShotTrials,
  pairsPerIdentity,
  type Trial,
  type TrialOptions,
} from "./sampling/evaluationPairs.ts";
export {
  balancingDifferentProbability,
  expectedPairs,
  type FilterProbabilities,
  yieldWarnings,
} from "./sampling/expectedPairs.ts";
export { type FilteredPairsOptions, filteredPairs, type Pair } from "./sampling/filteredPairs.ts";
export type { Sampler, SamplerState } from "./sampling/sampler.ts";
export {
  balancedLiveness,
  type LivenessDataset,
  type LivenessItem,
  type Single,
  splitLiveness,
} from "./sources/livenessDataset.ts";
export { type Divided, type Fold, type Split, splitIdentities } from "./split.ts";
