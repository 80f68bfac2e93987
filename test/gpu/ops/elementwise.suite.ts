// Element-wise operations: relu, sigmoid, flatten, absDifference, add, scale, slice, scaleBytes.

import fc from "fast-check";
import { add, relu, scale, scaleBytes, slice, sum, Tape, tensor, valueAndGradients } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { ndarray } from "../../reference/ndarray.ts";
import { checkOperation, evaluateOperation, toValue } from "../operation.ts";
import { assert, assertClose, assertEqual, define, defineKernel, forAll } from "../suite.ts";

const extent = fc.integer({ min: 1, max: 13 });
const shapes = fc.oneof(fc.tuple(extent), fc.tuple(extent, extent), fc.tuple(extent, extent, extent, extent));

for (const op of ["relu", "sigmoid"] as const) {
  defineKernel(`${op}: random shapes`, (device) =>
    forAll(shapes, 6, (shape) => checkOperation(device, op, { x: normal(shape, 1, { deviation: 3 }) })),
  );
}

for (const op of ["absDifference", "add"] as const) {
  defineKernel(`${op}: random shapes`, (device) =>
    forAll(shapes, 6, (shape) => checkOperation(device, op, { a: normal(shape, 1), b: normal(shape, 2) })),
  );
}

defineKernel("scale: random shapes and factors", (device) =>
  forAll(fc.tuple(shapes, fc.constantFrom(0, 1, -2.5, 1e-3)), 6, ([shape, k]) =>
    checkOperation(device, "scale", { x: normal(shape, 1) }, { k: Math.fround(k) }),
  ),
);

defineKernel("flatten: random shapes", (device) =>
  forAll(fc.tuple(extent, extent, extent, extent), 4, (shape) =>
    checkOperation(device, "flatten", { x: normal(shape, 1) }),
  ),
);

defineKernel("relu: derivative 0 at 0", async (device) => {
  const x = ndarray([4], [-1, 0, -0, 2]);
  const { gradients } = await evaluateOperation(device, "relu", { x }, {}, ["x"], ndarray([4], [1, 1, 1, 1]));
  assertEqual(
    "gradient",
    [...gradients.x.data].map((value) => value + 0),
    [0, 0, 0, 1],
  );
});

defineKernel("sigmoid: +-500 saturates without NaN", async (device) => {
  const x = ndarray([4], [500, -500, 100, -100]);
  const { value, gradients } = await evaluateOperation(device, "sigmoid", { x }, {}, ["x"], ndarray([4], [1, 1, 1, 1]));
  const rounded = (values: Float32Array) => [...values].map((v) => Math.round(v * 1e6) / 1e6 + 0);
  assertEqual("value", rounded(value.data), [1, 0, 1, 0]);
  assertEqual("gradient", rounded(gradients.x.data), [0, 0, 0, 0]);
});

defineKernel("absDifference: derivative 0 where a = b", async (device) => {
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

define("relu: more elements than one row of workgroups holds", async (device) => {
  const count = 65_535 * 64 * 4 + 5; // 65,535 workgroups of 64 threads with four elements each, and one more
  const x = Float32Array.from({ length: count }, (_, i) => (i % 7) - 3);
  const { value } = await valueAndGradients(device, ({ x }) => relu(x), { x: tensor([count], x) });
  const at = value.data.findIndex((y, i) => y !== Math.max(0, x[i]));
  assert(at < 0, `element ${at} is ${value.data[at]} for ${x[at]}`);
});

defineKernel("slice: rows of a batch, and their gradients", async (device) => {
  const x = normal([7, 3, 5], 1);
  for (const [start, count] of [
    [0, 7],
    [2, 3],
    [6, 1],
  ]) {
    const g = normal([count, 3, 5], 2);
    const { value, gradients } = await valueAndGradients(
      device,
      ({ x }) => slice(x, start, count),
      { x: toValue(x) },
      { gradientsOf: ["x"], outputGradient: toValue(g) },
    );
    const [from, to] = [start * 15, (start + count) * 15];
    assertEqual("shape", value.shape, [count, 3, 5]);
    assertClose("slice", value.data, x.data.slice(from, to));
    const expected = x.data.map((_, i) => (i >= from && i < to ? g.data[i - from] : 0));
    assertClose("slice gradient", gradients.x.data, expected);
  }
});

defineKernel("slice: the gradients of two parts of one tensor are added", async (device) => {
  const { gradients } = await valueAndGradients(
    device,
    ({ x }) => add(sum(slice(x, 0, 3)), sum(scale(slice(x, 1, 3), 10))),
    { x: toValue(normal([4, 1], 1)) },
    { gradientsOf: ["x"] },
  );
  assertEqual("gradient", [...gradients.x.data], [1, 11, 11, 10]);
});

defineKernel("scaleBytes: every byte to [0, 1], in sizes that are no multiple of 4", async (device) => {
  for (const size of [1, 3, 256, 257]) {
    const tape = new Tape(device);
    const bytes = Uint8Array.from({ length: size }, (_, i) => 255 - i);
    const program = await tape.compile({ outputs: { y: scaleBytes(tape.input("x", [size], { dtype: "u8" })) } });
    const { y } = await program.run({ x: bytes });
    assertClose(
      "scaleBytes",
      y,
      Float64Array.from(bytes, (byte) => byte / 255),
      { tolerance: 1e-7 },
    );
    program.dispose();
  }
});
