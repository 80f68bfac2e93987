// Evaluates a model on a dataset: every picture is embedded once, and all protocols use the embeddings.

import { type Dataset, labelsOf } from "../data/dataset.ts";
import { DecodedImages } from "../data/decodedImages.ts";
import type { EvaluationPair, Trial } from "../data/sampling/evaluationPairs.ts";
import { type Calibration, fitCalibration } from "../evaluation/calibration.ts";
import type { ScoredPair } from "../evaluation/metrics.ts";
import { oneShotHits } from "../evaluation/oneShot.ts";
import { type VerificationReport, verificationReport } from "../evaluation/verificationReport.ts";
import { softplus } from "../model/trained.ts";
import { meanSupervisedContrastiveLoss, meanTripletLoss } from "./heldOutLoss.ts";
import { leastDistance, type Match, representatives } from "./match.ts";
import type { Model } from "./recognitionModel.ts";
import type { Recognizer } from "./recognizer.ts";

/** How many pictures are decoded and embedded at a time. */
export const chunk = 64;

/**
 * The embedding of each picture, in the dataset's order: [N, embedding].
 * @param onProgress is called with how many pictures are done.
 * @example
 * ```ts
 * const embeddings = await embedAll(model, dataset, (done) => console.log(`${done} of ${dataset.items.length}`));
 * ```
 */
export async function embedAll(
  model: Model,
  dataset: Dataset,
  onProgress?: (done: number) => void,
): Promise<Float32Array> {
  const embeddings = new Float32Array(dataset.items.length * model.embedding);
  const images = new DecodedImages(dataset, model.imageSize, { maximumBytes: 0 });
  for (let first = 0; first < dataset.items.length; first += chunk) {
    const indices = dataset.items.slice(first, first + chunk).map((_, offset) => first + offset);
    embeddings.set(await model.embed(await images.stack(indices)), first * model.embedding);
    onProgress?.(first + indices.length);
  }
  return embeddings;
}

/** The result of `evaluateModel`. */
export interface EvaluationResult {
  /** The metrics. */
  report: VerificationReport;
  /** The pairs with their distances. */
  scored: (EvaluationPair & ScoredPair)[];
  /** Embeddings of all pictures, in the dataset's order. */
  embeddings: Float32Array;
  /**
   * The mean data term of the training loss over the pairs, or over as many triplets or batched pictures of the same
   * identities.
   */
  loss: number;
  /** For losses that give no probability: fitted to the pairs. */
  calibration?: Calibration;
}

/**
 * Embeds every picture of the dataset, scores the pairs, and reports how well the model verifies.
 * @param folds for each pair the number of its fold, where a protocol says so; see `verificationReport`.
 * @throws BAD_INPUT without pairs of both kinds; CORRUPT_FILE or another error that names the picture that cannot be
 * decoded.
 * @example
 * ```ts
 * const { report } = await evaluateModel(model, dataset, pairsPerIdentity(labelsOf(dataset), { perIdentity: 10, seed: 1 }));
 * console.log(`AUC ${report.auc}, EER ${report.eer}`);
 * ```
 */
export async function evaluateModel(
  model: Model,
  dataset: Dataset,
  pairs: readonly EvaluationPair[],
  folds?: ArrayLike<number>,
  onProgress?: (done: number) => void,
): Promise<EvaluationResult> {
  const embeddings = await embedAll(model, dataset, onProgress);
  const { description } = model;
  const { loss } = description;
  const labels = labelsOf(dataset);
  let total = 0;
  const scored = pairs.map((pair) => {
    const { left, right, same } = pair;
    const [a, b] = [row(model, embeddings, left), row(model, embeddings, right)];
    const [distance] = model.distances(a, b);
    const [score] = model.scores(a, b);
    if (loss === "cross-entropy") total += softplus(same ? -score : score);
    else if (loss === "contrastive") {
      total += same ? distance ** 2 : Math.max(0, (description.margin as number) - distance) ** 2;
    }
    return { ...pair, distance };
  });
  const between = (a: number, b: number) => model.distances(row(model, embeddings, a), row(model, embeddings, b))[0];
  const mean =
    loss === "triplet"
      ? meanTripletLoss(description, labels, between, pairs.length)
      : loss === "supervised-contrastive"
        ? meanSupervisedContrastiveLoss(description, labels, between, pairs.length)
        : total / pairs.length;
  return {
    report: verificationReport(scored, pairs, labels, folds),
    scored,
    embeddings,
    loss: mean,
    calibration: loss === "cross-entropy" ? undefined : fitCalibration(scored),
  };
}

/**
 * Pairs of rows of embeddings with their distances.
 * @example
 * ```ts
 * import { scorePairs } from "twingrad/exchange";
 *
 * const embeddings = await embedAll(model, dataset);
 * const scored = scorePairs(model, embeddings, allPairs(labelsOf(dataset)));
 * ```
 */
export function scorePairs(
  model: Recognizer,
  embeddings: Float32Array,
  pairs: readonly EvaluationPair[],
): (EvaluationPair & ScoredPair)[] {
  return pairs.map((pair) => {
    const [distance] = model.distances(row(model, embeddings, pair.left), row(model, embeddings, pair.right));
    return { ...pair, distance };
  });
}

/** For each trial whether the model's answer is correct. */
export async function oneShotAnswers(
  model: Model,
  dataset: Dataset,
  trials: readonly Trial[],
  match: Match = "nearest",
  onProgress?: (done: number) => void,
): Promise<boolean[]> {
  return answersOf(model, await embedAll(model, dataset, onProgress), trials, match);
}

/** Like `oneShotAnswers`, for embeddings that exist already. */
export function answersOf(
  model: Recognizer,
  embeddings: Float32Array,
  trials: readonly Trial[],
  match: Match = "nearest",
): boolean[] {
  return oneShotHits(trials, (probe, pictures) => {
    const known = new Float32Array(pictures.length * model.embedding);
    for (const [position, index] of pictures.entries()) {
      known.set(row(model, embeddings, index), position * model.embedding);
    }
    return leastDistance(model, row(model, embeddings, probe), representatives(model, known, match));
  });
}

/**
 * The share of correct trials.
 * @example
 * ```ts
 * const accuracy = await evaluateOneShot(model, dataset, oneShotTrials(labelsOf(dataset), { ways: 5, trials: 200, seed: 1 }));
 * ```
 */
export async function evaluateOneShot(
  model: Model,
  dataset: Dataset,
  trials: readonly Trial[],
  onProgress?: (done: number) => void,
): Promise<number> {
  const hits = await oneShotAnswers(model, dataset, trials, "nearest", onProgress);
  return hits.filter(Boolean).length / trials.length;
}

/** @deprecated The former name of `evaluateModel`. */
export const assess = evaluateModel;

/** @deprecated The former name of `evaluateOneShot`. */
export const assessOneShot = evaluateOneShot;

/** @deprecated The former name of `EvaluationResult`. */
export type Assessment = EvaluationResult;

function row(model: Pick<Recognizer, "embedding">, embeddings: Float32Array, index: number): Float32Array {
  return embeddings.subarray(index * model.embedding, (index + 1) * model.embedding);
}
