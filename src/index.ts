// The public API of the core: any runtime with WebGPU.

export {
  type AugmentationPreset,
  type AugmentationRanges,
  augmentationPresets,
  type Range,
} from "./data/augmentation/ranges.ts";
export * from "./data/index.ts";
export { readableItems } from "./data/readableItems.ts";
export {
  DeviceLostError,
  DiskError,
  type DiskReason,
  type ErrorCode,
  errorCodes,
  NotFiniteError,
  NotLiveError,
  ResourceError,
  ShapeError,
  TwingradError,
} from "./errors.ts";
export * from "./evaluation/index.ts";
export { type AdapterInfo, Device, type OpenDeviceOptions, openDevice } from "./gpu/device.ts";
export type { NotFinite } from "./gpu/diagnosis/notFinite.ts";
export type { KernelTime, Memory, Program, StepResult } from "./gpu/program.ts";
export type {
  GraphBuffer,
  GraphKernel,
  GraphOperation,
  GraphRewrite,
  GraphTensor,
  ProgramGraph,
} from "./gpu/programGraph.ts";
export type { TuningOptions } from "./gpu/tuner.ts";
export type { TuningStore, TuningTable } from "./gpu/tunerTable.ts";
export { type Centering, withCentering } from "./model/centering.ts";
export type { ModelDescription } from "./model/description.ts";
export type { PictureOptions, TowerAlignment } from "./model/pictures.ts";
export type { OpenOptions } from "./model/trained.ts";
export { fitWhitening, type Whitening, withWhitening } from "./model/whitening.ts";
export { type LivenessNetwork, type LivenessOptions, liveness } from "./nn/livenessNetwork.ts";
export type { Network, NetworkTask } from "./nn/network.ts";
export type { NetworkOptions, TowerKind } from "./nn/networkOptions.ts";
export { type SiameseNetwork, type SiameseOptions, siamese } from "./nn/siamese.ts";
export type { TowerMode } from "./nn/towers.ts";
export { absDifference } from "./ops/absDifference.ts";
export { add } from "./ops/add.ts";
export { type BatchNormOptions, batchNorm } from "./ops/batchNorm.ts";
export { type Conv2dOptions, conv2d } from "./ops/conv2d.ts";
export { type DenseOptions, dense } from "./ops/dense.ts";
export { flatten } from "./ops/flatten.ts";
export { edgeHistograms } from "./ops/images/edgeHistograms.ts";
export { orientedGradients } from "./ops/images/orientedGradients.ts";
export { type PhotometricChange, type PhotometricRandom, packChanges, photometric } from "./ops/images/photometric.ts";
export { type ResizeMethod, resample, resize, type Transform } from "./ops/images/resample.ts";
export { scaleBytes } from "./ops/images/scaleBytes.ts";
export { standardize } from "./ops/images/standardize.ts";
export { type L2NormalizeOptions, l2Normalize } from "./ops/l2Normalize.ts";
export {
  batchHardTripletLoss,
  type Margin,
  semiHardTripletLoss,
  supervisedContrastiveLoss,
} from "./ops/losses/batchLoss.ts";
export { contrastiveLoss } from "./ops/losses/contrastiveLoss.ts";
export { sigmoidCrossEntropy } from "./ops/losses/sigmoidCrossEntropy.ts";
export { tripletLoss } from "./ops/losses/tripletLoss.ts";
export { matmul } from "./ops/matmul.ts";
export { type MaxPool2dOptions, maxPool2d } from "./ops/maxPool2d.ts";
export { relu } from "./ops/relu.ts";
export { scale } from "./ops/scale.ts";
export { sigmoid } from "./ops/sigmoid.ts";
export { slice } from "./ops/slice.ts";
export { centralDifference } from "./ops/spatial/centralDifference.ts";
export { globalAveragePool } from "./ops/spatial/globalAveragePool.ts";
export { l2Penalty, mean, sum } from "./ops/sum.ts";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./optim/adam.ts";
export { learningRateSchedule, type ScheduleOptions } from "./optim/schedule.ts";
export { type SgdOptions, sgd } from "./optim/sgd.ts";
export {
  type Assessment,
  assess,
  assessOneShot,
  type EvaluationResult,
  embedAll,
  evaluateModel,
  evaluateOneShot,
} from "./recognition/evaluateModel.ts";
export {
  Gallery,
  type GalleryJson,
  type GalleryOptions,
  type GalleryQuestion,
  type Identification,
  type LivenessCheck,
  type MatchOptions,
  type PictureCheck,
  type Verification,
} from "./recognition/gallery.ts";
export { GalleryIndex, type Metric, type NearestRow } from "./recognition/galleryIndex.ts";
export { LivenessModel, type LivenessScorer, requireLive } from "./recognition/livenessModel.ts";
export type { Match } from "./recognition/match.ts";
export { Model, type OperatingPoint, withOperatingPoint } from "./recognition/recognitionModel.ts";
export type { Recognizer } from "./recognition/recognizer.ts";
export { gradients } from "./tape/gradients.ts";
export type { Optimizer } from "./tape/optimizer.ts";
export { Parameter, type ParameterOptions, ParameterStore } from "./tape/parameters.ts";
export type { CompileOptions } from "./tape/plan.ts";
export { Tape, type TapeOptions } from "./tape/tape.ts";
export { Tensor } from "./tape/tensor.ts";
export type { AugmentationOptions } from "./train/augmenter.ts";
export {
  type CheckpointFolder,
  type CheckpointName,
  Checkpoints,
  type FoundCheckpoint,
  type Refused,
} from "./train/checkpoints.ts";
export type { Communicator } from "./train/distributed/communicator.ts";
export type { Distribution, DistributionOptions, OuterMomentum } from "./train/distributed/distribution.ts";
export { inProcessCommunicators } from "./train/distributed/inProcess.ts";
export { describeModel, type FineTuningOptions } from "./train/fineTuning.ts";
export { Saver, type SaverOptions } from "./train/saver.ts";
export { type Recovered, type RecoveryOptions, Trainer, type TrainerOptions } from "./train/trainer.ts";
export {
  evaluate,
  tensor,
  type Value,
  type ValueAndGradientsOptions,
  valueAndGradients,
} from "./valueAndGradients.ts";
