// How well the network that trains tells held-out identities apart, with its weights as they are now.
import { type Dataset, labelsOf } from "../../../data/dataset.ts";
import { DecodedImages } from "../../../data/decodedImages.ts";
import { type EvaluationPair, pairsPerIdentity } from "../../../data/sampling/evaluationPairs.ts";
import { areaUnderCurve, equalErrorRate, roc } from "../../../evaluation/metrics.ts";
import type { Trainer } from "../../../train/trainer.ts";
import type { Evaluation, RunSettings } from "../../messages.ts";
import { evaluationDataset } from "./finish.ts";

const pairsEach = 30;
const together = 64;

export class HeldOut {
  private constructor(
    private readonly trainer: Trainer,
    private readonly pairs: readonly EvaluationPair[],
    private readonly pictures: Uint8Array,
    private readonly embed: (images: Uint8Array) => Promise<Float32Array>,
  ) {}

  /** Undefined where the held-out identities give no genuine and impostor pairs. */
  static async open(trainer: Trainer, heldOut: Dataset, settings: RunSettings): Promise<HeldOut | undefined> {
    const people = evaluationDataset(heldOut);
    if (!people) return undefined;
    const { imageSize, channels, seed } = settings;
    const pictures = await new DecodedImages(people, [imageSize, imageSize, channels]).stack(
      people.items.map((_, i) => i),
    );
    const pairs = pairsPerIdentity(labelsOf(people), { perIdentity: pairsEach, seed });
    const embed = await trainer.embedder({ batchSize: Math.min(together, people.items.length) });
    return new HeldOut(trainer, pairs, pictures, embed);
  }

  async evaluate(step: number): Promise<Evaluation> {
    const embeddings = await this.embed(this.pictures);
    const score = await this.trainer.scorer();
    const length = embeddings.length / (1 + Math.max(...this.pairs.flatMap(({ left, right }) => [left, right])));
    const row = (index: number) => embeddings.subarray(index * length, (index + 1) * length);
    const scored = this.pairs.map(({ left, right, same }) => ({ same, distance: -score(row(left), row(right)) }));
    const points = roc(scored);
    return { step, auc: areaUnderCurve(points), eer: equalErrorRate(points) };
  }
}
