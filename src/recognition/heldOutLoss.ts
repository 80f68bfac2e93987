// Triplet and batch losses on held-out identities, over examples that depend on the dataset alone.
import { perClass, triplets } from "../data/sampling/balanced.ts";
import { picturesOfEach } from "../data/sampling/sampler.ts";
import type { ModelDescription } from "../model/description.ts";
import { softplus } from "../model/trained.ts";

/** The Euclidean distance of two pictures, given by index. */
type Distance = (a: number, b: number) => number;

/**
 * Mean over `count` sampled triplets, also for networks trained with mining: the hardest among many triplets depends
 * more on their number than on the network.
 */
export function meanTripletLoss(
  { margin, mining }: ModelDescription,
  labels: ArrayLike<number>,
  distance: Distance,
  count: number,
): number {
  const drawn = triplets(labels, { seed: 0 });
  const power = mining === "batch-hard" ? 1 : 2; // as in each loss: see batchLoss.ts
  let total = 0;
  for (let n = 0; n < count; n++) {
    const { anchor, positive, negative } = drawn.next().value;
    const x = distance(anchor, positive) ** power - distance(anchor, negative) ** power;
    total += margin === "soft" ? softplus(x) : Math.max(0, x + margin);
  }
  return total / count;
}

/** Identities, and pictures of each, in a batch of the supervised contrastive loss, where there are as many. */
const [mostIdentities, picturesPerIdentity] = [16, 4];

/**
 * Mean over batches of about `count` pictures in all; over one batch of all pictures where too few identities have two.
 */
export function meanSupervisedContrastiveLoss(
  { temperature = 0.1 }: ModelDescription,
  labels: ArrayLike<number>,
  distance: Distance,
  count: number,
): number {
  const several = picturesOfEach(labels).filter(({ length }) => length > 1).length;
  const identitiesPerBatch = Math.min(mostIdentities, several);
  const drawn = several < 2 ? undefined : perClass(labels, { seed: 0, identitiesPerBatch, picturesPerIdentity });
  const all = Array.from(
    { length: Math.min(labels.length, mostIdentities * picturesPerIdentity) },
    (_, index) => index,
  );
  let total = 0;
  const batches = drawn ? Math.ceil(count / (identitiesPerBatch * picturesPerIdentity)) : 1;
  for (let n = 0; n < batches; n++) {
    total += supervisedContrastive(drawn?.next().value.pictures ?? all, labels, distance, temperature);
  }
  return total / batches;
}

/** Khosla et al. 2020, equation 2, for one batch: see shaders/supervisedContrastive.terms.wgsl. */
function supervisedContrastive(
  batch: readonly number[],
  labels: ArrayLike<number>,
  distance: Distance,
  temperature: number,
): number {
  const terms = batch.flatMap((anchor, i) => {
    const others = batch.filter((_, j) => j !== i);
    const s = others.map((other) => -(distance(anchor, other) ** 2) / (2 * temperature));
    const positives = s.filter((_, j) => labels[others[j]] === labels[anchor]);
    if (positives.length === 0) return [];
    const largest = Math.max(...s);
    const logSum = largest + Math.log(s.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    return [logSum - positives.reduce((sum, value) => sum + value, 0) / positives.length];
  });
  return terms.reduce((sum, term) => sum + term, 0) / Math.max(1, terms.length);
}
