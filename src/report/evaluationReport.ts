// Collects the metrics and pictures of an evaluation for its report page.
import type { Dataset, Item } from "../data/dataset.ts";
import type { EvaluationPair } from "../data/sampling/evaluationPairs.ts";
import type { ScoredPair } from "../evaluation/metrics.ts";
import type { Model } from "../recognition/recognitionModel.ts";
import type { EvaluationReport } from "./evaluationPage.ts";
import { type Picture, percent, type ReportPair } from "./html.ts";

const shownPairs = 24;

type Scored = EvaluationPair & ScoredPair;

/** @param pictureUri returns a picture of the dataset as the model sees it. */
export async function evaluationReport(
  model: Model,
  dataset: Dataset,
  scored: readonly Scored[],
  about: Pick<EvaluationReport, "model" | "settings" | "data" | "folds" | "verification" | "openSet" | "roc">,
  pictureUri: (item: Item) => Promise<Picture>,
): Promise<EvaluationReport> {
  const { threshold } = model;
  const of = (same: boolean) => scored.filter((pair) => pair.same === same);
  const accepted = (pairs: readonly Scored[]) => pairs.filter((pair) => pair.distance <= threshold);
  const worst = async (wrong: readonly Scored[]) => ({
    pairs: await Promise.all(wrong.slice(0, shownPairs).map((pair) => reportPair(pair))),
    all: wrong.length,
  });
  const logits = model.description.loss === "cross-entropy";
  const score = (distance: number) => (logits ? -model.calibrationScore(distance) : distance);
  const rejected = of(true).filter((pair) => pair.distance > threshold);
  async function reportPair({ left, right, distance }: Scored): Promise<ReportPair> {
    const [a, b] = [dataset.items[left], dataset.items[right]];
    return {
      left: await pictureUri(a),
      right: await pictureUri(b),
      names: [a.name, b.name],
      caption: `distance ${distance.toFixed(3)}`,
      likeness: model.calibrated ? `${percent(model.probability(distance), 0)} likely the same person` : undefined,
    };
  }
  return {
    ...about,
    date: new Date().toISOString().slice(0, 10),
    people: new Set(dataset.items.map((item) => item.identity)).size,
    pictures: dataset.items.length,
    scores: {
      name: logits ? "score: the head's logit for “the same person”" : "distance",
      same: of(true).map((pair) => score(pair.distance)),
      different: of(false).map((pair) => score(pair.distance)),
      threshold: score(threshold),
    },
    atThreshold: {
      threshold,
      falseAccept: accepted(of(false)).length / of(false).length,
      trueAccept: accepted(of(true)).length / of(true).length,
    },
    falseAccepts: await worst(accepted(of(false)).sort((a, b) => a.distance - b.distance)),
    falseRejects: await worst(rejected.sort((a, b) => b.distance - a.distance)),
  };
}
