// Metrics of verification, identification and presentation attack detection: numbers in, numbers out.
export type { BootstrapOptions, Interval } from "./bootstrap.ts";
export { type Calibration, fitCalibration, probabilityOf } from "./calibration.ts";
export { type DetPoint, detCurve } from "./det.ts";
export { type CalibratedRate, thresholdAt } from "./falseAccepts.ts";
export { type VerificationIntervals, verificationIntervals } from "./intervals.ts";
export {
  accuracyAt,
  areaUnderCurve,
  bestThreshold,
  equalErrorRate,
  type RocPoint,
  roc,
  type ScoredPair,
  trueAcceptAt,
} from "./metrics.ts";
export { type DistanceToPictures, oneShotAccuracy, oneShotHits } from "./oneShot.ts";
export {
  type Nearest,
  type OpenSet,
  type OpenSetOptions,
  type OpenSetReport,
  openSet,
  openSetReport,
} from "./openSet.ts";
export {
  crossFittedReport,
  errorsAt,
  type LivenessReport,
  livenessReport,
  type Presentation,
  type PresentationErrors,
  thresholdOf,
} from "./presentation.ts";
export { falseAcceptRates, type VerificationReport, verificationReport } from "./verificationReport.ts";
