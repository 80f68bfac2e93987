// Operations that work on each element alone: relu, sigmoid, flatten, absDifference, add, scale.

import fc from "fast-check";
import { normal } from "../random.ts";
import { ndarray } from "../reference/ndarray.ts";
import { checkOperation, evaluateOperation } from "./operation.ts";
import { assertEqual, define, forAll } from "./suite.ts";

const extent = fc.integer({ min: 1, max: 13 });
const shapes = fc.oneof(fc.tuple(extent), fc.tuple(extent, extent), fc.tuple(extent, extent, extent, extent));

for (const op of ["relu", "sigmoid"] as const) {
  define(`${op}: random shapes`, (device) =>
    forAll(shapes, 6, (shape) => checkOperation(device, op, { x: normal(shape, 1, { deviation: 3 }) })),
  );
}

for (const op of ["absDifference", "add"] as const) {
  define(`${op}: random shapes`, (device) =>
    forAll(shapes, 6, (shape) => checkOperation(device, op, { a: normal(shape, 1), b: normal(shape, 2) })),
  );
}

define("scale: random shapes and factors", (device) =>
  forAll(fc.tuple(shapes, fc.constantFrom(0, 1, -2.5, 1e-3)), 6, ([shape, k]) =>
    checkOperation(device, "scale", { x: normal(shape, 1) }, { k: Math.fround(k) }),
  ),
);

define("flatten: random shapes", (device) =>
  forAll(fc.tuple(extent, extent, extent, extent), 4, (shape) =>
    checkOperation(device, "flatten", { x: normal(shape, 1) }),
  ),
);

define("relu: derivative 0 at 0", async (device) => {
  const x = ndarray([4], [-1, 0, -0, 2]);
  const { gradients } = await evaluateOperation(device, "relu", { x }, {}, ["x"], ndarray([4], [1, 1, 1, 1]));
  assertEqual(
    "gradient",
    [...gradients.x.data].map((value) => value + 0),
    [0, 0, 0, 1],
  );
});

define("sigmoid: +-500 saturates without NaN", async (device) => {
  const x = ndarray([4], [500, -500, 100, -100]);
  const { value, gradients } = await evaluateOperation(device, "sigmoid", { x }, {}, ["x"], ndarray([4], [1, 1, 1, 1]));
  const rounded = (values: Float32Array) => [...values].map((v) => Math.round(v * 1e6) / 1e6 + 0);
  assertEqual("value", rounded(value.data), [1, 0, 1, 0]);
  assertEqual("gradient", rounded(gradients.x.data), [0, 0, 0, 0]);
});

define("absDifference: derivative 0 where a = b", async (device) => {
  const inputs = { a: ndarray([3], [2, 3, 1]), b: ndarray([3], [2, 1, 3]) };
  const g = ndarray([3], [5, 5, 5]);
  const { gradients } = await evaluateOperation(device, "absDifference", inputs, {}, ["a", "b"], g);
  assertEqual(
    "gradient of a",
    [...gradients.a.data].map((value) => value + 0),
    [0, 5, -5],
  );
  assertEqual(
    "gradient of b",
    [...gradients.b.data].map((value) => value + 0),
    [0, -5, 5],
  );
});

define("add, relu: more elements than one row of workgroups may hold", (device) =>
  // 65,535 workgroups of 64 threads hold 4.2 million elements along one dimension; this is past one thread each.
  checkOperation(device, "add", { a: normal([4_300_001], 1), b: normal([4_300_001], 2) }),
);
