// Losses over all pairs of a batch: mean over anchors (or over anchor and positive) of terms in the squared distances
// D[a][j] = |x_a - x_j|^2. Gradient: d loss / d x_i = sum over a, j of d loss / d D[a][j] * d D[a][j] / d x_i.

import { type NdArray, type NdArrays, scalar, zeros } from "../../ndarray.ts";

/** One summand of the mean: its value, and its derivatives by some D[anchor][j]. */
interface Term {
  value: number;
  anchor: number;
  by: { j: number; derivative: number }[];
}

export type Margin = { margin?: number | "soft" };

function squaredDistances({ shape: [rows, columns], data }: NdArray): number[][] {
  const distance = (i: number, j: number) => {
    let total = 0;
    for (let k = 0; k < columns; k++) total += (data[i * columns + k] - data[j * columns + k]) ** 2;
    return total;
  };
  return Array.from({ length: rows }, (_, i) => Array.from({ length: rows }, (_, j) => distance(i, j)));
}

/** Of the rows the one with the largest value, of equals the first; undefined of none. */
const largest = (rows: number[], value: (row: number) => number) =>
  rows.reduce<number | undefined>(
    (best, row) => (best === undefined || value(row) > value(best) ? row : best),
    undefined,
  );

/** Rows of the anchor's label without itself, and of other labels. */
function others(labels: NdArray, anchor: number) {
  const rows = [...labels.data.keys()].filter((j) => j !== anchor);
  const same = (j: number) => labels.data[j] === labels.data[anchor];
  return { positives: rows.filter(same), negatives: rows.filter((j) => !same(j)) };
}

/** max(0, x + margin) or ln(1 + e^x), and its derivative. */
function penalty(x: number, margin: number | "soft"): { value: number; slope: number } {
  if (margin === "soft")
    return { value: Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), slope: 1 / (1 + Math.exp(-x)) };
  return { value: Math.max(0, x + margin), slope: x + margin > 0 ? 1 : 0 };
}

/** Hermans, Beyer and Leibe 2017, equation 5: Euclidean distances. */
function batchHard({ embeddings, labels }: NdArrays, { margin = 0.2 }: Margin): Term[] {
  return squaredDistances(embeddings).flatMap((D, anchor) => {
    const { positives, negatives } = others(labels, anchor);
    const p = largest(positives, (j) => D[j]);
    const n = largest(negatives, (j) => -D[j]);
    if (p === undefined || n === undefined) return [];
    const { value, slope } = penalty(Math.sqrt(D[p]) - Math.sqrt(D[n]), margin);
    const root = (j: number) => (D[j] === 0 ? 0 : 1 / (2 * Math.sqrt(D[j]))); // d sqrt(D) / d D; 0 at 0
    const by = [
      { j: p, derivative: slope * root(p) },
      { j: n, derivative: -slope * root(n) },
    ];
    return [{ value, anchor, by }];
  });
}

/** Schroff et al. 2015: squared distances; the farthest negative where none is farther than the positive. */
function semiHard({ embeddings, labels }: NdArrays, { margin = 0.2 }: Margin): Term[] {
  return squaredDistances(embeddings).flatMap((D, anchor) => {
    const { positives, negatives } = others(labels, anchor);
    if (negatives.length === 0) return [];
    return positives.map((p) => {
      const farther = negatives.filter((j) => D[j] > D[p]);
      const n = largest(farther, (j) => -D[j]) ?? largest(negatives, (j) => D[j])!;
      const { value, slope } = penalty(D[p] - D[n], margin);
      const by = [
        { j: p, derivative: slope },
        { j: n, derivative: -slope },
      ];
      return { value, anchor, by };
    });
  });
}

/** Khosla et al. 2020, equation 2, with s_j = -D[a][j] / (2 temperature). */
function supervisedContrastive(
  { embeddings, labels }: NdArrays,
  { temperature = 0.1 }: { temperature?: number },
): Term[] {
  return squaredDistances(embeddings).flatMap((D, anchor) => {
    const { positives, negatives } = others(labels, anchor);
    if (positives.length === 0) return [];
    const rows = [...positives, ...negatives];
    const s = (j: number) => -D[j] / (2 * temperature);
    const largestS = Math.max(...rows.map(s));
    const logSum = largestS + Math.log(rows.reduce((sum, j) => sum + Math.exp(s(j) - largestS), 0));
    const value = -positives.reduce((sum, p) => sum + s(p) - logSum, 0) / positives.length;
    const by = rows.map((j) => {
      const share = positives.includes(j) ? 1 / positives.length : 0;
      return { j, derivative: (Math.exp(s(j) - logSum) - share) * (-1 / (2 * temperature)) };
    });
    return [{ value, anchor, by }];
  });
}

// biome-ignore lint/suspicious/noExplicitAny: each loss has options of its own
type Terms = (inputs: NdArrays, options: any) => Term[];

function loss(terms: Terms) {
  return {
    value(inputs: NdArrays, options: object): NdArray {
      const found = terms(inputs, options);
      return scalar(found.reduce((sum, { value }) => sum + value, 0) / Math.max(1, found.length));
    },
    gradients(inputs: NdArrays, options: object, g: NdArray): NdArrays {
      const { embeddings: x } = inputs;
      const [, columns] = x.shape;
      const gradient = zeros(x.shape);
      const found = terms(inputs, options);
      for (const { anchor, by } of found) {
        for (const { j, derivative } of by) {
          for (let k = 0; k < columns; k++) {
            const [a, b] = [anchor * columns + k, j * columns + k];
            const pull = (g.data[0] / found.length) * derivative * 2 * (x.data[a] - x.data[b]);
            gradient.data[a] += pull;
            gradient.data[b] -= pull;
          }
        }
      }
      return { embeddings: gradient };
    },
  };
}

export const batchHardTripletLoss = loss(batchHard);
export const semiHardTripletLoss = loss(semiHard);
export const supervisedContrastiveLoss = loss(supervisedContrastive);
