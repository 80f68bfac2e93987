// Messages of the Train tab.
import type { Request } from "../../request.ts";

export type LossName = "supervised-contrastive" | "triplet" | "contrastive" | "cross-entropy";
export type AugmentationName = "none" | "light" | "standard" | "strong";

export interface RunSettings {
  /** Side of a picture in pixels. */
  readonly imageSize: number;
  readonly channels: 1 | 3;
  readonly filters: readonly number[];
  readonly embedding: number;
  readonly steps: number;
  readonly augmentation: AugmentationName;
  readonly loss: LossName;
  /** Identities in a batch and pictures of each; for losses on pairs, half as many pairs as there are pictures. */
  readonly identitiesPerBatch: number;
  readonly picturesPerIdentity: number;
  readonly learningRate: number;
  readonly warmUp: number;
  readonly schedule: "cosine" | "constant";
  readonly optimizer: "adam" | "adamw";
  readonly l2: number;
  /** Steps between evaluations on the held-out identities; each also saves a checkpoint. */
  readonly evaluateEvery: number;
  readonly seed: number;
}

export interface Evaluation {
  readonly step: number;
  readonly auc: number;
  readonly eer: number;
}

export type RunStatus = "training" | "paused" | "trained" | "stopped" | "failed";

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly status: RunStatus;
  readonly step: number;
  readonly settings: RunSettings;
  readonly people: number;
  readonly heldOut: number;
  readonly pictures: number;
  readonly adapter: string;
  readonly lastLoss: number | null;
  readonly latest: Evaluation | null;
  readonly best: Evaluation | null;
  /** Whether it has a model for evaluation and recognition. */
  readonly hasModel: boolean;
}

/** `status` determines `document.documentElement.dataset.state` while nothing is loading. */
export interface TrainingState {
  readonly status: "idle" | "starting" | "training" | "pausing" | "paused" | "finishing" | "trained" | "failed";
  /** The run that `status` refers to. */
  readonly run: string | null;
  readonly step: number;
  readonly steps: number;
  readonly loss: number | null;
  readonly latest: Evaluation | null;
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Planned bytes of GPU memory. */
  readonly memory: number | null;
  /** Why it failed, or a notice: a lost GPU that was opened again, a checkpoint that could not be saved. */
  readonly note: string | null;
}

/** The curves of a run: the loss of every step from the first, and the evaluations. */
export interface Curve {
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
}

export interface TrainRequests {
  "train.start": Request<{ settings: RunSettings }, { run: string }>;
  "train.pause": Request<Record<string, never>, void>;
  /** Resumes the paused run, or an earlier unfinished one. */
  "train.resume": Request<{ run?: string }, void>;
  "train.stop": Request<Record<string, never>, void>;
  "train.curve": Request<{ run: string }, Curve>;
  "train.rename": Request<{ run: string; name: string }, void>;
  "train.delete": Request<{ run: string }, void>;
  /** Augmented pictures of the dataset, RGBA. */
  "train.preview": Request<
    { augmentation: AugmentationName; imageSize: number; count: number; seed: number },
    { side: number; pictures: readonly Uint8ClampedArray<ArrayBuffer>[] }
  >;
}
