// Calls that must be refused, and the words that the error must contain: the operation and the shapes.

import {
  absDifference,
  add,
  batchNorm,
  contrastiveLoss,
  conv2d,
  type Device,
  dense,
  maxPool2d,
  sigmoid,
  sigmoidCrossEntropy,
  sum,
  Tape,
  type Tensor,
  tensor,
  tripletLoss,
  valueAndGradients,
} from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { ndarray } from "../../reference/ndarray.ts";
import { toValue } from "../operation.ts";
import { assert, assertThrows, define } from "../suite.ts";

/** Calls that must not record, with the words that the error must contain: the operation and the shapes. */
const mistakes: [string, Record<string, number[]>, (t: Record<string, Tensor>) => Tensor, string[]][] = [
  [
    "channels that differ",
    { x: [2, 5, 5, 3], f: [3, 3, 4, 8] },
    ({ x, f }) => conv2d(x, f),
    ["conv2d", "[2, 5, 5, 3]", "[3, 3, 4, 8]"],
  ],
  [
    "an image without a batch axis",
    { x: [5, 5, 3], f: [3, 3, 3, 8] },
    ({ x, f }) => conv2d(x, f),
    ["conv2d", "[5, 5, 3]"],
  ],
  [
    "a bias of another length",
    { x: [1, 5, 5, 3], f: [3, 3, 3, 8], b: [7] },
    ({ x, f, b }) => conv2d(x, f, { bias: b }),
    ["conv2d", "[7]"],
  ],
  [
    "VALID with a filter larger than the image",
    { x: [1, 2, 2, 1], f: [3, 3, 1, 1] },
    ({ x, f }) => conv2d(x, f, { padding: "valid" }),
    ["conv2d", "3 x 3", "2 x 2"],
  ],
  ["a stride of 0", { x: [1, 4, 4, 1], f: [3, 3, 1, 1] }, ({ x, f }) => conv2d(x, f, { stride: 0 }), ["conv2d", "0"]],
  [
    "a window larger than the image",
    { x: [1, 2, 2, 1] },
    ({ x }) => maxPool2d(x, { size: 3 }),
    ["maxPool2d", "3 x 3", "2 x 2"],
  ],
  [
    "gamma of another length",
    { x: [4, 3], g: [2], b: [3] },
    ({ x, g, b }) => batchNorm(x, { gamma: g, beta: b }),
    ["batchNorm", "[4, 3]", "[2]"],
  ],
  [
    "a batch that groups do not divide",
    { x: [5, 3], g: [3], b: [3] },
    ({ x, g, b }) => batchNorm(x, { gamma: g, beta: b, groups: 2 }),
    ["batchNorm", "[5, 3]", "2"],
  ],
  ["an inner size that differs", { x: [4, 3], k: [2, 5] }, ({ x, k }) => dense(x, k), ["dense", "[4, 3]", "[2, 5]"]],
  ["addends of other shapes", { a: [4, 3], b: [3, 4] }, ({ a, b }) => add(a, b), ["add", "[4, 3]", "[3, 4]"]],
  [
    "differences of other shapes",
    { a: [4], b: [3] },
    ({ a, b }) => absDifference(a, b),
    ["absDifference", "[4]", "[3]"],
  ],
  [
    "logits and labels of other sizes",
    { z: [4, 1], y: [3] },
    ({ z, y }) => sigmoidCrossEntropy(z, y),
    ["sigmoidCrossEntropy", "[4, 1]", "[3]"],
  ],
  [
    "embeddings of other widths",
    { a: [4, 2], b: [4, 3], s: [4] },
    ({ a, b, s }) => contrastiveLoss(a, b, s),
    ["contrastiveLoss", "[4, 2]", "[4, 3]"],
  ],
  [
    "triplets of other batches",
    { a: [4, 2], p: [3, 2] },
    ({ a, p }) => tripletLoss(a, p, a),
    ["tripletLoss", "[4, 2]", "[3, 2]"],
  ],
];

define("errors: a wrong shape or option is named with the operation when it is recorded", async (device) => {
  const failures: string[] = [];
  for (const [what, shapes, record, parts] of mistakes) {
    const tape = new Tape(device);
    const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tape.input(name, shape)]));
    await assertThrows(what, () => record(inputs), parts).catch((error: Error) => failures.push(error.message));
  }
  assert(failures.length === 0, failures.join("\n"));
});

define("errors: values that do not fill their shape", () =>
  assertThrows("tensor", () => tensor([2, 3], [1, 2, 3, 4]), ["[2, 3]", "4"]),
);

define("errors: a gradient of a non-scalar value without an output gradient", (device: Device) =>
  assertThrows(
    "evaluate",
    () => valueAndGradients(device, ({ x }) => sigmoid(x), { x: toValue(normal([2, 3], 1)) }, { gradientsOf: ["x"] }),
    ["[2, 3]", "scalar"],
  ),
);

define("errors: an output gradient of another shape", (device) =>
  assertThrows(
    "evaluate",
    () =>
      valueAndGradients(
        device,
        ({ x }) => sigmoid(x),
        { x: toValue(normal([2, 3], 1)) },
        { gradientsOf: ["x"], outputGradient: toValue(ndarray([3, 2], [1, 2, 3, 4, 5, 6])) },
      ),
    ["[3, 2]", "[2, 3]"],
  ),
);

define("errors: gradients of an unknown input", (device) =>
  assertThrows(
    "valueAndGradients",
    () =>
      valueAndGradients(device, ({ x }) => sum(x), { x: toValue(normal([2], 1)) }, { gradientsOf: ["filter" as "x"] }),
    ["filter"],
  ),
);

define("errors: tensors of two tapes do not mix", async (device) => {
  const a = new Tape(device).input("left", [3]);
  const b = new Tape(device).input("right", [3]);
  await assertThrows("add", () => add(a, b), ["add", "left", "right"]);
});
