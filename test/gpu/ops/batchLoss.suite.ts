// Losses over all pairs of a batch: batch-hard and semi-hard triplets, supervised contrastive.

import fc from "fast-check";
import { type Device, l2Normalize, supervisedContrastiveLoss, tensor, valueAndGradients } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { map, ndarray } from "../../reference/ndarray.ts";
import type { OperationName } from "../../reference/operations.ts";
import { checkOperation, evaluateOperation, toValue } from "../operation.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineKernel,
  forAll,
} from "../suite.ts";

const losses = ["batchHardTripletLoss", "semiHardTripletLoss", "supervisedContrastiveLoss"] as const;

/** Deviation 1 / sqrt(columns): distances are about sqrt(2) whatever the size, on both sides of a margin. */
const rows = (N: number, D: number, seed: number) => normal([N, D], seed, { deviation: 1 / Math.sqrt(D) });

const batch = fc.record({
  labels: fc.oneof(
    // P x K, as the sampler draws them, and any labels at all: large ones, identities with one picture.
    fc
      .tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 2, max: 6 }))
      .map(([P, K]) => Array.from({ length: P * K }, (_, i) => Math.floor(i / K))),
    fc.array(fc.constantFrom(0, 1, 2, 3, -7, 2 ** 24 - 1), { minLength: 1, maxLength: 80 }),
  ),
  columns: fc.integer({ min: 1, max: 130 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

for (const op of losses) {
  defineKernel(`${op}: random shapes, labels and options`, (device) =>
    forAll(
      fc.tuple(batch, fc.constantFrom(0.2, 1, "soft"), fc.constantFrom(0.1, 0.5)),
      5,
      ([{ labels, columns, seed }, margin, temperature]) => {
        const inputs = { embeddings: rows(labels.length, columns, seed), labels: ndarray([labels.length], labels) };
        return checkOperation(device, op, inputs, op === "supervisedContrastiveLoss" ? { temperature } : { margin });
      },
    ),
  );
}

const gradientOf = (device: Device, op: OperationName, values: number[], labels: number[], options: object = {}) =>
  evaluateOperation(
    device,
    op,
    {
      embeddings: ndarray([labels.length, values.length / labels.length], values),
      labels: ndarray([labels.length], labels),
    },
    options,
    ["embeddings"],
  );

defineKernel("batch losses: a batch of identities with one picture each has loss 0 and gradient 0", async (device) => {
  for (const op of losses) {
    const { value, gradients } = await gradientOf(device, op, [1, 2, 3, 5, 8, 13], [4, 5, 6]);
    assertEqual(
      op,
      [value.data[0], ...gradients.embeddings.data].map((v) => v + 0),
      Array(7).fill(0),
    );
  }
});

defineKernel(
  "batch losses: for a single identity the triplet loss is 0, the softmax measures the spread",
  async (device) => {
    for (const op of losses.slice(0, 2)) {
      const { value, gradients } = await gradientOf(device, op, [1, 2, 4], [3, 3, 3]);
      assertEqual(
        op,
        [value.data[0], ...gradients.embeddings.data].map((v) => v + 0),
        [0, 0, 0, 0],
      );
    }
    const three = { embeddings: ndarray([3, 1], [1, 2, 4]), labels: ndarray([3], [3, 3, 3]) };
    await checkOperation(device, "supervisedContrastiveLoss", three, { temperature: 2 });
  },
);

defineKernel("batch losses: a batch whose rows are all the same is finite, with gradient 0", async (device) => {
  for (const op of losses) {
    const { value, gradients } = await gradientOf(device, op, Array(12).fill(0.5), [0, 0, 1, 1, 2, 2]);
    const expected = op === "supervisedContrastiveLoss" ? Math.log(5) : 0.2;
    assertClose(`${op} of equal rows`, value.data, [expected]);
    assert(
      gradients.embeddings.data.every((g) => g === 0),
      `${op}: gradient ${gradients.embeddings.data}`,
    );
  }
});

defineKernel("batch losses: non-finite values do not become a loss of 0", async (device) => {
  for (const op of losses) {
    const { value } = await gradientOf(device, op, [1, Number.NaN, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1]);
    assert(!Number.isFinite(value.data[0]), `${op}: ${value.data[0]}`);
  }
});

defineKernel("batchHardTripletLoss: one batch computed by hand", async (device) => {
  // Rows 0, 3 | 4, 10: anchors' hardest positives 3, 3, 6, 6 and negatives 4, 1, 1, 7; hinges with margin 1: 0, 3, 6, 0.
  const { value, gradients } = await gradientOf(device, "batchHardTripletLoss", [0, 3, 4, 10], [0, 0, 1, 1], {
    margin: 1,
  });
  assertClose("loss", value.data, [9 / 4]);
  // d/dx of (x1 - x0) - (x2 - x1) + (x3 - x2) - (x2 - x1), over four anchors.
  assertClose("gradient", gradients.embeddings.data, [-1 / 4, 3 / 4, -3 / 4, 1 / 4]);
});

defineKernel("semiHardTripletLoss: one batch computed by hand", async (device) => {
  // Rows 0, 2 | 3, 9 with margin 6. Pairs: (0, 2): 4, next farther 9: 1. (2, 0): 4, next farther 49: 0. (3, 9): 36, none is
  // farther, the farthest is 9: 33. (9, 3): 36, nearest farther 49: 0.
  const { value, gradients } = await gradientOf(device, "semiHardTripletLoss", [0, 2, 3, 9], [0, 0, 1, 1], {
    margin: 6,
  });
  assertClose("loss", value.data, [34 / 4]);
  // (x1 - x0)^2 - (x2 - x0)^2 + (x3 - x2)^2 - (x2 - x0)^2
  assertClose("gradient", gradients.embeddings.data, [(-4 + 6 + 6) / 4, 4 / 4, (-6 - 12 - 6) / 4, 12 / 4]);
});

defineKernel(
  "supervisedContrastiveLoss: on unit rows it is the softmax of dot products, also in its gradient",
  async (device) => {
    const [N, D, temperature] = [12, 7, 0.1];
    const x = normal([N, D], 5);
    const labels = ndarray(
      [N],
      Array.from({ length: N }, (_, i) => i % 4),
    );
    const { value, gradients } = await valueAndGradients(
      device,
      ({ x, labels }) => supervisedContrastiveLoss(l2Normalize(x), labels, { temperature }),
      { x: toValue(x), labels: toValue(labels) },
      { gradientsOf: ["x"] },
    );
    /** Equation 2 as it stands: z_i . z_p / temperature. */
    const byDots = (data: Float64Array) => {
      const row = (i: number) => data.subarray(i * D, (i + 1) * D);
      const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, k) => sum + v * b[k], 0);
      const unit = Array.from({ length: N }, (_, i) => row(i).map((v) => v / Math.sqrt(dot(row(i), row(i)))));
      let total = 0;
      for (let i = 0; i < N; i++) {
        const rest = [...unit.keys()].filter((j) => j !== i);
        const positives = rest.filter((j) => labels.data[j] === labels.data[i]);
        const sum = rest.reduce((sum, j) => sum + Math.exp(dot(unit[i], unit[j]) / temperature), 0);
        total -=
          positives.reduce((s, p) => s + dot(unit[i], unit[p]) / temperature - Math.log(sum), 0) / positives.length;
      }
      return total / N;
    };
    assertClose("loss by dot products", value.data, [byDots(x.data)]);
    const step = 1e-6;
    const moved = (at: number, by: number) => byDots(map(x, (v, i) => (i === at ? v + by : v)).data);
    const expected = x.data.map((_, i) => (moved(i, step) - moved(i, -step)) / (2 * step));
    assertClose("gradient by dot products", gradients.x.data, expected);
  },
);

defineKernel("batch losses: the same bits twice", async (device) => {
  const labels = Array.from({ length: 40 }, (_, i) => i % 7);
  const values = [...rows(40, 33, 3).data];
  for (const op of losses) {
    const [first, second] = [
      await gradientOf(device, op, values, labels),
      await gradientOf(device, op, values, labels),
    ];
    assertSameBits(`${op} gradient`, second.gradients.embeddings.data, first.gradients.embeddings.data);
  }
});

define("errors: batch losses name mismatched labels, invalid margins and temperatures", async (device) => {
  const run = (labels: number[], options: object) =>
    evaluateOperation(
      device,
      "semiHardTripletLoss",
      { embeddings: rows(3, 2, 1), labels: ndarray([labels.length], labels) },
      options,
      [],
    );
  await assertThrows("labels", () => run([1, 2], {}), ["semiHardTripletLoss", "[2]", "3 embeddings"]);
  await assertThrows("margin", () => run([1, 2, 3], { margin: Number.NaN }), ["margin is NaN"]);
  const x = tensor([2, 1], [1, 2]);
  const cold = () =>
    valueAndGradients(device, ({ x, y }) => supervisedContrastiveLoss(x, y, { temperature: 0 }), {
      x,
      y: tensor([2], [0, 0]),
    });
  await assertThrows("temperature", cold, ["temperature is 0"]);
});
