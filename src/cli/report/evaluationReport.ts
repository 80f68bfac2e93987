// Puts the figures and pictures of an evaluation together for its report page.
import { type Dataset, type Model, roc, type ScoredPair } from "../../index.ts";
import type { EvaluationPair } from "../../internal.ts";
import type { EvaluationReport } from "./evaluationPage.ts";
import { percent, type ReportPair } from "./html.ts";
import { pictureUri } from "./pictureUri.ts";

const shownPairs = 24;

type Scored = EvaluationPair & ScoredPair;

export async function evaluationReport(
  model: Model,
  dataset: Dataset,
  scored: readonly Scored[],
  about: Pick<EvaluationReport, "model" | "data" | "folds" | "verification" | "openSet">,
): Promise<EvaluationReport> {
  const { threshold } = model;
  const of = (same: boolean) => scored.filter((pair) => pair.same === same);
  const accepted = (pairs: readonly Scored[]) => pairs.filter((pair) => pair.distance <= threshold);
  const worst = async (wrong: readonly Scored[]) => ({
    pairs: await Promise.all(wrong.slice(0, shownPairs).map((pair) => reportPair(model, dataset, pair))),
    all: wrong.length,
  });
  const logits = model.description.loss === "cross-entropy";
  const score = (distance: number) => (logits ? -model.calibrationScore(distance) : distance);
  const rejected = of(true).filter((pair) => pair.distance > threshold);
  return {
    ...about,
    people: new Set(dataset.items.map((item) => item.identity)).size,
    pictures: dataset.items.length,
    roc: roc(scored),
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

async function reportPair(model: Model, { items }: Dataset, { left, right, distance }: Scored): Promise<ReportPair> {
  const [a, b] = [items[left], items[right]];
  return {
    left: await pictureUri(a, model.imageSize),
    right: await pictureUri(b, model.imageSize),
    caption: model.calibrated ? percent(model.probability(distance), 0) : distance.toFixed(2),
    title: `${a.name}, ${b.name}`,
  };
}
