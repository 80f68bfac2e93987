// The losses on held-out identities, against the references of the training losses.
import { describe, expect, it } from "vitest";
import { perClass, triplets } from "../../src/data/sampling/balanced.ts";
import type { ModelDescription } from "../../src/model/description.ts";
import { meanSupervisedContrastiveLoss, meanTripletLoss } from "../../src/recognition/heldOutLoss.ts";
import { normal } from "../random.ts";
import { ndarray } from "../reference/ndarray.ts";
import { references } from "../reference/operations.ts";

const [count, columns] = [24, 3];
const labels = Array.from({ length: count }, (_, i) => i % 5);
const embeddings = references.l2Normalize.value({ x: normal([count, columns], 1) }, {});
const row = (i: number) => embeddings.data.subarray(i * columns, (i + 1) * columns);
const rows = (indices: readonly number[]) =>
  ndarray(
    [indices.length, columns],
    indices.flatMap((i) => [...row(i)]),
  );
const distance = (a: number, b: number) => Math.hypot(...row(a).map((value, k) => value - row(b)[k]));
const described = (description: Partial<ModelDescription>) => description as ModelDescription;

describe("losses on held-out identities", () => {
  it("is the triplet loss of drawn triplets", () => {
    const sampler = triplets(labels, { seed: 0 });
    const drawn = Array.from({ length: 50 }, () => sampler.next().value);
    const [anchor, positive, negative] = (["anchor", "positive", "negative"] as const).map((role) =>
      rows(drawn.map((triplet) => triplet[role])),
    );
    const expected = references.tripletLoss.value({ anchor, positive, negative }, { margin: 0.3 }).data[0];
    expect(meanTripletLoss(described({ margin: 0.3 }), labels, distance, 50)).toBeCloseTo(expected, 12);
    const semiHard = described({ margin: 0.3, mining: "semi-hard" });
    expect(meanTripletLoss(semiHard, labels, distance, 50)).toBeCloseTo(expected, 12);
    const [soft, euclidean] = [described({ margin: "soft", mining: "batch-hard" }), drawn];
    const terms = euclidean.map((t) =>
      Math.log1p(Math.exp(distance(t.anchor, t.positive) - distance(t.anchor, t.negative))),
    );
    const mean = terms.reduce((sum, term) => sum + term, 0) / terms.length;
    expect(meanTripletLoss(soft, labels, distance, 50)).toBeCloseTo(mean, 12);
  });

  const contrastive = (batch: readonly number[], temperature: number) =>
    references.supervisedContrastiveLoss.value(
      {
        embeddings: rows(batch),
        labels: ndarray(
          [batch.length],
          batch.map((i) => labels[i]),
        ),
      },
      { temperature },
    ).data[0];

  it("is the supervised contrastive loss of drawn batches", () => {
    const sampler = perClass(labels, { seed: 0, identitiesPerBatch: 5, picturesPerIdentity: 4 });
    const [first, second] = [sampler.next().value.pictures, sampler.next().value.pictures];
    const expected = (contrastive(first, 0.4) + contrastive(second, 0.4)) / 2;
    const found = meanSupervisedContrastiveLoss(described({ temperature: 0.4 }), labels, distance, 40);
    expect(found).toBeCloseTo(expected, 12);
  });

  it("is over one batch of all pictures where only one identity has two", () => {
    const few = [0, 0, 1, 2];
    const expected = references.supervisedContrastiveLoss.value(
      { embeddings: rows([0, 1, 2, 3]), labels: ndarray([4], few) },
      { temperature: 0.1 },
    ).data[0];
    expect(meanSupervisedContrastiveLoss(described({}), few, distance, 40)).toBeCloseTo(expected, 12);
  });
});
