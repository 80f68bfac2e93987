// sigmoidCrossEntropy, contrastiveLoss and tripletLoss.

import fc from "fast-check";
import { binary, normal } from "../../random.ts";
import { ndarray } from "../../reference/ndarray.ts";
import { checkOperation, evaluateOperation } from "../operation.ts";
import { assert, assertEqual, defineKernel, forAll } from "../suite.ts";

const rows = fc.integer({ min: 1, max: 300 });
const matrix = fc.tuple(fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 140 }));

defineKernel("sigmoidCrossEntropy: random batches", (device) =>
  forAll(rows, 6, (B) =>
    checkOperation(device, "sigmoidCrossEntropy", { logits: normal([B], 1, { deviation: 5 }), labels: binary([B], 2) }),
  ),
);

defineKernel("sigmoidCrossEntropy: labels between 0 and 1", (device) =>
  checkOperation(device, "sigmoidCrossEntropy", {
    logits: normal([5], 1),
    labels: ndarray([5], [0, 0.25, 0.5, 0.75, 1]),
  }),
);

defineKernel("sigmoidCrossEntropy: logits [B, 1], as from a dense layer", async (device) => {
  const inputs = { logits: normal([7, 1], 1), labels: binary([7], 2) };
  await checkOperation(device, "sigmoidCrossEntropy", inputs);
});

defineKernel("sigmoidCrossEntropy: logits of +-500 are exact", async (device) => {
  const inputs = { logits: ndarray([4], [500, -500, 500, -500]), labels: ndarray([4], [1, 0, 0, 1]) };
  const { value, gradients } = await evaluateOperation(device, "sigmoidCrossEntropy", inputs, {}, ["logits"]);
  assertEqual("loss", value.data[0], 250);
  assertEqual(
    "gradient",
    [...gradients.logits.data].map((g) => g + 0),
    [0, 0, 0.25, -0.25],
  );
});

defineKernel("sigmoidCrossEntropy: a confident correct answer keeps its small loss", (device) =>
  // exp(-30) is far below float32's step at 1: log(1 + exp(-30)) must not round to 0.
  checkOperation(device, "sigmoidCrossEntropy", {
    logits: ndarray([3], [30, 20, -25]),
    labels: ndarray([3], [1, 1, 0]),
  }),
);

defineKernel("contrastiveLoss: random shapes and margins", (device) =>
  // Deviation 1 / sqrt(columns): distances fall to both sides of the margins.
  forAll(fc.tuple(matrix, fc.constantFrom(0.5, 1, 2)), 8, ([[B, D], margin]) =>
    checkOperation(
      device,
      "contrastiveLoss",
      {
        a: normal([B, D], 1, { deviation: 1 / Math.sqrt(D) }),
        b: normal([B, D], 2, { deviation: 1 / Math.sqrt(D) }),
        same: binary([B], 3),
      },
      { margin },
    ),
  ),
);

defineKernel("contrastiveLoss: at distance 0 the gradient is 0 for either label", async (device) => {
  const a = ndarray([2, 3], [1, 2, 3, 4, 5, 6]);
  const inputs = { a, b: a, same: ndarray([2], [0, 1]) };
  const { value, gradients } = await evaluateOperation(device, "contrastiveLoss", inputs, {}, ["a", "b"]);
  assertEqual("loss", value.data[0], 0.5);
  assert(
    [...gradients.a.data, ...gradients.b.data].every((g) => g === 0),
    `gradients are ${gradients.a.data} and ${gradients.b.data}`,
  );
});

defineKernel("contrastiveLoss: impostor pairs beyond the margin have loss 0", async (device) => {
  const inputs = { a: ndarray([1, 2], [3, 4]), b: ndarray([1, 2], [0, 0]), same: ndarray([1], [0]) };
  const { value, gradients } = await evaluateOperation(device, "contrastiveLoss", inputs, { margin: 2 }, ["a"]);
  assertEqual(
    "loss and gradient",
    [value.data[0], ...gradients.a.data].map((v) => v + 0),
    [0, 0, 0],
  );
});

defineKernel("tripletLoss: random shapes and margins", (device) =>
  forAll(fc.tuple(matrix, fc.constantFrom(0.2, 1)), 8, ([[B, D], margin]) => {
    const row = { deviation: 1 / Math.sqrt(D) };
    const inputs = {
      anchor: normal([B, D], 1, row),
      positive: normal([B, D], 2, row),
      negative: normal([B, D], 3, row),
    };
    return checkOperation(device, "tripletLoss", inputs, { margin });
  }),
);

defineKernel("tripletLoss: a satisfied triplet has loss 0", async (device) => {
  const inputs = { anchor: ndarray([1, 1], [0]), positive: ndarray([1, 1], [0]), negative: ndarray([1, 1], [2]) };
  const { value, gradients } = await evaluateOperation(device, "tripletLoss", inputs, {}, Object.keys(inputs));
  const found = [value, ...Object.values(gradients)].map(({ data }) => data[0] + 0);
  assertEqual("loss and gradients", found, [0, 0, 0, 0]);
});
