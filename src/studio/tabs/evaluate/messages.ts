// Messages of the Evaluate tab.
import type { Request } from "../../request.ts";

/** A metric with its 95 % confidence interval; null with too few people. */
export interface Figure {
  readonly value: number;
  readonly interval: readonly [lower: number, upper: number] | null;
}

/** A pair of pictures that the model may get wrong. Pictures are indices for `evaluate.picture`. */
export interface ComparedPair {
  readonly left: number;
  readonly right: number;
  readonly names: readonly [left: string, right: string];
  readonly distance: number;
}

/** The evaluation of a model on the held-out identities. */
export interface ModelEvaluation {
  /** The id of a run or of an imported model, as in all requests. */
  readonly model: string;
  readonly people: number;
  readonly pictures: number;
  /**
   * Why these people may have been in the training set: the pictures have changed since the run, or it was trained
   * elsewhere. Null where they were not.
   */
  readonly doubt: "changed" | "imported" | null;
  readonly threshold: number;
  readonly auc: Figure;
  readonly eer: Figure;
  /** True-accept rate at a false-accept rate of 1 %. */
  readonly trueAccepts: Figure;
  /** Accuracy over the pairs, each fold at the best threshold of the others; with its standard error. */
  readonly accuracy: { readonly value: number; readonly standardError: number };
  readonly roc: readonly { readonly threshold: number; readonly falseAccept: number; readonly trueAccept: number }[];
  readonly det: readonly { readonly threshold: number; readonly falseAccept: number; readonly falseReject: number }[];
  /** Distances of genuine and of impostor pairs, ascending. */
  readonly genuine: Float64Array;
  readonly impostor: Float64Array;
  /** The nearest impostor pairs and the farthest genuine pairs, the worst first. */
  readonly nearestImpostors: readonly ComparedPair[];
  readonly farthestGenuine: readonly ComparedPair[];
}

export interface EvaluateRequests {
  "evaluate.model": Request<{ model: string }, ModelEvaluation>;
  /** The error rates at a threshold. */
  "evaluate.at": Request<{ model: string; threshold: number }, { falseAccepts: Figure; falseRejects: Figure }>;
  "evaluate.picture": Request<{ model: string; picture: number }, Blob>;
  /** Sets the threshold of the model. */
  "evaluate.useThreshold": Request<{ model: string; threshold: number }, void>;
  /** One self-contained HTML file. */
  "evaluate.report": Request<{ model: string }, Blob>;
}
