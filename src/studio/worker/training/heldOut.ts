// Evaluates a run's checkpoints on held-out identities, with the same pairs as the Evaluate tab.
import { type Dataset, indicesByIdentity, labelsOf, subset } from "../../../data/dataset.ts";
import { DecodedImages } from "../../../data/decodedImages.ts";
import { type EvaluationPair, pairsPerIdentity } from "../../../data/sampling/evaluationPairs.ts";
import { areaUnderCurve, equalErrorRate, roc } from "../../../evaluation/metrics.ts";
import type { Device } from "../../../gpu/device.ts";
import { Model } from "../../../recognition/recognitionModel.ts";
import type { Evaluation, RunSettings } from "../../messages.ts";

const pairsEach = 50;
const batchSize = 64;

/** About how many pictures an evaluation uses. */
const enough = 500;

/** The held-out identities to evaluate on; undefined where they do not give pairs of both kinds. */
export function evaluationDataset(heldOut: Dataset): Dataset | undefined {
  const groups = indicesByIdentity(labelsOf(heldOut));
  const several = groups.map((_, identity) => identity).filter((identity) => groups[identity].length > 1);
  if (several.length < 2) return undefined;
  const chosen: number[] = [];
  for (let pictures = 0, i = 0; i < several.length && (pictures < enough || chosen.length < 2); i++) {
    chosen.push(several[i]);
    pictures += groups[several[i]].length;
  }
  return subset(heldOut, chosen);
}

/** The same pairs in every evaluation of a run, so that results are comparable. */
export const heldOutPairs = (people: Dataset): EvaluationPair[] =>
  pairsPerIdentity(labelsOf(people), { perIdentity: pairsEach, seed: 1 });

export class HeldOut {
  private constructor(
    private readonly pairs: readonly EvaluationPair[],
    private readonly pictures: Uint8Array,
  ) {}

  /** Undefined where the held-out identities do not give pairs of both kinds. */
  static async open(heldOut: Dataset, { imageSize, channels }: RunSettings): Promise<HeldOut | undefined> {
    const people = evaluationDataset(heldOut);
    if (!people) return undefined;
    const images = new DecodedImages(people, [imageSize, imageSize, channels]);
    return new HeldOut(heldOutPairs(people), await images.stack(people.items.map((_, i) => i)));
  }

  /**
   * @param checkpoint from `Trainer.save`; a model opened from it has corrected batch-norm statistics, unlike the
   * trainer.
   */
  async evaluate(device: Device, checkpoint: Uint8Array, step: number): Promise<Evaluation> {
    const model = await Model.open(device, checkpoint, { batchSize });
    try {
      const embeddings = await model.embed(this.pictures);
      const row = (index: number) => embeddings.subarray(index * model.embedding, (index + 1) * model.embedding);
      const scored = this.pairs.map(({ left, right, same }) => {
        return { same, distance: model.distances(row(left), row(right))[0] };
      });
      const points = roc(scored);
      return { step, auc: areaUnderCurve(points), eer: equalErrorRate(points) };
    } finally {
      await model.dispose();
    }
  }
}
