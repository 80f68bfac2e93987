// Each reference gradient against central finite differences of its own value, over random shapes and options.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { difference } from "../compare.ts";
import { binary, normal } from "../random.ts";
import { type NdArray, type NdArrays, ndarray } from "./ndarray.ts";
import { type OperationName, referenceOf } from "./operations.ts";
import { batchNorm } from "./ops/batchNorm.ts";

const STEP = 1e-5;

/** d sum(value * g) / d inputs[name], by moving one element at a time to both sides. */
function finiteDifferences(op: OperationName, inputs: NdArrays, options: object, g: NdArray, name: string) {
  const objective = () =>
    referenceOf(op)
      .value(inputs, options)
      .data.reduce((total, value, i) => total + value * g.data[i], 0);
  const { data } = inputs[name];
  return data.map((original, i) => {
    data[i] = original + STEP;
    const above = objective();
    data[i] = original - STEP;
    const below = objective();
    data[i] = original;
    return (above - below) / (2 * STEP);
  });
}

const size = fc.integer({ min: 1, max: 5 });
const seed = fc.integer({ min: 0, max: 1e9 });
const padding = fc.constantFrom("same" as const, "valid" as const);
const image = fc.record({ B: fc.integer({ min: 1, max: 2 }), H: size, W: size, C: size });

interface Case {
  inputs: NdArrays;
  options?: object;
}

const matrix = fc.record({ seed, rows: size, columns: size });

const labeled = fc
  .record({
    seed,
    labels: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 }),
    columns: size,
    margin: fc.constantFrom(0.2, 2, "soft" as const),
    temperature: fc.constantFrom(0.5, 2),
  })
  .map(({ seed, labels, columns, ...options }) => ({
    inputs: { embeddings: normal([labels.length, columns], seed), labels: ndarray([labels.length], labels) },
    ...options,
  }));

const cases: Record<OperationName, fc.Arbitrary<Case>> = {
  conv2d: fc
    .record({
      seed,
      image,
      O: size,
      U: size,
      V: size,
      padding,
      stride: fc.integer({ min: 1, max: 3 }),
      bias: fc.boolean(),
    })
    .filter(({ image, U, V, padding }) => padding === "same" || (U <= image.H && V <= image.W))
    .map(({ seed, image: { B, H, W, C }, O, U, V, padding, stride, bias }) => ({
      inputs: {
        x: normal([B, H, W, C], seed),
        filter: normal([U, V, C, O], seed + 1),
        ...(bias && { bias: normal([O], seed + 2) }),
      },
      options: { padding, stride },
    })),
  maxPool2d: fc
    .record({ seed, image, size: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 3 }), padding })
    .filter(({ image, size, padding }) => padding === "same" || size <= Math.min(image.H, image.W))
    .map(({ seed, image: { B, H, W, C }, ...options }) => ({ inputs: { x: normal([B, H, W, C], seed) }, options })),
  batchNorm: fc
    .record({ seed, image, groups: fc.integer({ min: 1, max: 2 }), training: fc.boolean() })
    .map(({ seed, image: { B, H, W, C }, groups, training }) => ({
      inputs: {
        x: normal([B * groups, H, W, C], seed),
        gamma: normal([C], seed + 1),
        beta: normal([C], seed + 2),
        ...(!training && { mean: normal([C], seed + 3), variance: normal([C], seed + 4, { mean: 3, deviation: 0.3 }) }),
      },
      options: { groups, training, epsilon: 0.1 },
    })),
  centralDifference: fc
    .record({
      seed,
      U: fc.constantFrom(1, 3),
      V: fc.constantFrom(1, 3, 5),
      I: size,
      O: size,
      theta: fc.constantFrom(0.7, 1),
    })
    .map(({ seed, U, V, I, O, theta }) => ({ inputs: { filter: normal([U, V, I, O], seed) }, options: { theta } })),
  globalAveragePool: fc
    .record({ seed, image })
    .map(({ seed, image: { B, H, W, C } }) => ({ inputs: { x: normal([B, H, W, C], seed) } })),
  relu: matrix.map(({ seed, rows, columns }) => ({ inputs: { x: normal([rows, columns], seed) } })),
  sigmoid: matrix.map(({ seed, rows, columns }) => ({ inputs: { x: normal([rows, columns], seed) } })),
  flatten: fc
    .record({ seed, image })
    .map(({ seed, image: { B, H, W, C } }) => ({ inputs: { x: normal([B, H, W, C], seed) } })),
  absDifference: matrix.map(({ seed, rows, columns }) => ({
    inputs: { a: normal([rows, columns], seed), b: normal([rows, columns], seed + 1) },
  })),
  add: matrix.map(({ seed, rows, columns }) => ({
    inputs: { a: normal([rows, columns], seed), b: normal([rows, columns], seed + 1) },
  })),
  scale: matrix.map(({ seed, rows, columns }) => ({
    inputs: { x: normal([rows, columns], seed) },
    options: { k: -1.7 },
  })),
  sum: matrix.map(({ seed, rows, columns }) => ({ inputs: { x: normal([rows, columns], seed) } })),
  mean: matrix.map(({ seed, rows, columns }) => ({ inputs: { x: normal([rows, columns], seed) } })),
  dense: fc
    .record({
      seed,
      B: size,
      I: size,
      O: size,
      bias: fc.boolean(),
      activation: fc.constantFrom(undefined, "sigmoid", "relu"),
    })
    .map(({ seed, B, I, O, bias, activation }) => ({
      inputs: {
        x: normal([B, I], seed),
        kernel: normal([I, O], seed + 1),
        ...(bias && { bias: normal([O], seed + 2) }),
      },
      options: { activation },
    })),
  matmul: fc.record({ seed, B: fc.option(size), N: size, K: size, M: size }).map(({ seed, B, N, K, M }) => {
    const batch = B === null ? [] : [B];
    return { inputs: { a: normal([...batch, N, K], seed), b: normal([...batch, K, M], seed + 1) } };
  }),
  l2Normalize: matrix.map(({ seed, rows, columns }) => ({ inputs: { x: normal([rows, columns], seed) } })),
  sigmoidCrossEntropy: matrix.map(({ seed, rows }) => ({
    inputs: { logits: normal([rows], seed, { deviation: 4 }), labels: binary([rows], seed + 1) },
  })),
  contrastiveLoss: fc.record({ matrix, margin: fc.constantFrom(0.5, 1, 4) }).map(({ matrix, margin }) => ({
    inputs: {
      a: normal([matrix.rows, matrix.columns], matrix.seed),
      b: normal([matrix.rows, matrix.columns], matrix.seed + 1),
      same: binary([matrix.rows], matrix.seed + 2),
    },
    options: { margin },
  })),
  tripletLoss: fc.record({ matrix, margin: fc.constantFrom(0.2, 3) }).map(({ matrix, margin }) => ({
    inputs: {
      anchor: normal([matrix.rows, matrix.columns], matrix.seed),
      positive: normal([matrix.rows, matrix.columns], matrix.seed + 1),
      negative: normal([matrix.rows, matrix.columns], matrix.seed + 2),
    },
    options: { margin },
  })),
  // Random rows lie away from ties by more than STEP.
  batchHardTripletLoss: labeled.map(({ inputs, margin }) => ({ inputs, options: { margin } })),
  semiHardTripletLoss: labeled.map(({ inputs, margin }) => ({ inputs, options: { margin } })),
  supervisedContrastiveLoss: labeled.map(({ inputs, temperature }) => ({ inputs, options: { temperature } })),
  l2Penalty: matrix.map(({ seed, rows, columns }) => ({
    inputs: { parameter: normal([rows, columns], seed) },
    options: { factor: 0.3 },
  })),
};

describe("reference gradients agree with central finite differences", () => {
  it.each(Object.keys(cases) as OperationName[])("%s", (op) => {
    fc.assert(
      fc.property(cases[op], ({ inputs, options = {} }) => {
        const g = normal(referenceOf(op).value(inputs, options).shape, 99);
        const gradients = referenceOf(op).gradients(inputs, options, g);
        for (const [name, gradient] of Object.entries(gradients)) {
          const expected = finiteDifferences(op, inputs, options, g, name);
          // Differences of rounded sums are good to about 1e-16 / STEP of the values that enter.
          expect(difference(gradient.data, expected, 1).relative, name).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("batchNorm's moving statistics do not affect the gradient in training", () => {
    const inputs = { x: normal([4, 3], 1), gamma: normal([3], 2), beta: normal([3], 3) };
    const moving = { mean: normal([3], 4), variance: normal([3], 5) };
    expect(batchNorm({ ...inputs, ...moving }, {})).toEqual(batchNorm(inputs, {}));
  });
});
