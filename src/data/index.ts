// The data stream, for every runtime: from labelled pictures to batches. Re-exports only.
export { type Alignment, aligned, alignedDataset, fitAlignment } from "./alignment.ts";
export {
  balancedPairs,
  type ClassExample,
  type PerClassOptions,
  perClass,
  type Triplet,
  triplets,
} from "./balanced.ts";
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
  tripletBatches,
} from "./batches.ts";
export type { Box, CropOptions } from "./crop.ts";
export { type Dataset, type ImageSize, type Item, identityGroups, labelsOf } from "./dataset.ts";
export { DecodedImages, type DecodedImagesOptions } from "./decodedImages.ts";
export { allPairs, oneShotTrials, pairsPerIdentity, type Trial, type TrialOptions } from "./evaluation.ts";
export { balancedLiveness, type LivenessDataset, type LivenessItem, type Single, splitLiveness } from "./liveness.ts";
export { type FilteredPairsOptions, filteredPairs, type Pair } from "./pairs.ts";
export type { Sampler, SamplerState } from "./sampler.ts";
export { type Divided, type Fold, type Split, splitIdentities } from "./split.ts";
export { turnedIdentities } from "./turned.ts";
export { balancingDifferentProbability, expectedPairs, yieldWarnings } from "./yield.ts";
