import fc from "fast-check";
import { normal, uniform } from "../../random.ts";
import { map, type NdArrays } from "../../reference/ndarray.ts";
import { references } from "../../reference/operations.ts";
import { type BatchNormOptions, batchStatistics } from "../../reference/ops/batchNorm.ts";
import { checkOperation, compareOperation } from "../operation.ts";
import { defineKernel, forAll } from "../suite.ts";

const upTo = (max: number) => fc.integer({ min: 1, max });

function inputsOf(shape: readonly number[], distribution = {}): NdArrays {
  const C = shape[shape.length - 1];
  return { x: normal(shape, 1, distribution), gamma: normal([C], 2), beta: normal([C], 3) };
}

/** The largest factor that gradients meet on their way to x: gamma / deviation. */
function gradientScale({ x, gamma }: NdArrays, { groups = 1, epsilon = 1e-3 }: BatchNormOptions) {
  const { variance } = batchStatistics(x, groups);
  return variance.data.reduce(
    (largest, v, i) => Math.max(largest, Math.abs(gamma.data[i % gamma.data.length]) / Math.sqrt(v + epsilon)),
    0,
  );
}

defineKernel("batchNorm: random shapes and groups, training", (device) =>
  forAll(
    fc.record({
      B: fc.integer({ min: 2, max: 6 }), // with H, W: at least 8 values share a mean
      H: fc.integer({ min: 2, max: 11 }),
      W: fc.integer({ min: 2, max: 11 }),
      C: upTo(37),
      groups: upTo(3),
      epsilon: fc.constantFrom(undefined, 1e-5, 0.1),
    }),
    8,
    ({ B, H, W, C, ...options }) =>
      checkOperation(device, "batchNorm", inputsOf([B * options.groups, H, W, C]), options),
  ),
);

defineKernel("batchNorm: two-dimensional input", (device) =>
  checkOperation(device, "batchNorm", inputsOf([23, 19]), { groups: 1 }),
);

for (const groups of [1, 2]) {
  defineKernel(`batchNorm: mean 100, deviation 1, ${groups} groups`, (device) =>
    checkOperation(device, "batchNorm", inputsOf([8, 14, 14, 12], { mean: 100 }), { groups }),
  );
}

// The remainder of the mean's rounding to float32 is kept: 5e-4 at 1e4, 0.03 at 1e6.
for (const [mean, deviation] of [
  [1e4, 0.1],
  [1e6, 1],
  [-3e6, 0.5],
]) {
  defineKernel(`batchNorm: mean ${mean}, deviation ${deviation}`, (device) => {
    const inputs = inputsOf([8, 14, 14, 12], { mean, deviation });
    const x = map(inputs.x, Math.fround); // the device's input: at 3e6 float32 has steps of 0.25
    return checkOperation(device, "batchNorm", { ...inputs, x }, { groups: 2 });
  });
}

defineKernel("batchNorm: a long reduction, two groups of 3 x 61 x 53 values", (device) =>
  checkOperation(device, "batchNorm", inputsOf([6, 61, 53, 5], { mean: 3, deviation: 2 }), { groups: 2 }),
);

defineKernel("batchNorm: one channel", (device) => checkOperation(device, "batchNorm", inputsOf([2, 9, 7, 1]), {}));

// With one or two values in a group the gradient is 0 (or epsilon's share): large terms cancel, so the
// error is measured against those terms.
for (const [name, shape, groups] of [
  ["1x1 images, batch 1", [1, 1, 1, 5], 1],
  ["1x1 images, two groups of 2", [4, 1, 1, 3], 2],
] as const) {
  defineKernel(`batchNorm: ${name}`, (device) => {
    const inputs = inputsOf(shape);
    const options = { groups };
    const x = gradientScale(inputs, options) * 3;
    return checkOperation(device, "batchNorm", inputs, options, { scale: { x, gamma: 3 } });
  });
}

defineKernel("batchNorm: a constant channel gives beta", (device) => {
  const inputs = inputsOf([3, 4, 4, 2]);
  const x = map(inputs.x, (value, i) => (i % 2 ? 100 : value));
  return checkOperation(
    device,
    "batchNorm",
    { ...inputs, x },
    {},
    { scale: { x: gradientScale({ ...inputs, x }, {}) } },
  );
});

defineKernel("batchNorm: inference uses the moving statistics", async (device) => {
  const random = uniform(9);
  for (const shape of [
    [1, 1, 1, 1],
    [3, 5, 7, 11],
  ]) {
    const C = shape[3];
    const inputs = {
      ...inputsOf(shape, { mean: 2 }),
      mean: normal([C], 4),
      variance: map(normal([C], 5), () => Math.fround(0.1 + random())),
    };
    await checkOperation(device, "batchNorm", inputs, { training: false });
  }
});

defineKernel("batchNorm: a ReLU in the same pass equals a separate ReLU", async (device) => {
  const inputs = inputsOf([4, 7, 5, 9]);
  const g = normal([4, 7, 5, 9], 4);
  const normalized = references.batchNorm.value(inputs, {});
  const gradients = references.batchNorm.gradients(inputs, {}, references.relu.gradients({ x: normalized }, {}, g).x);
  const expected = { value: references.relu.value({ x: normalized }), gradients };
  await compareOperation(device, "batchNorm", inputs, { activation: "relu" }, expected, g);
});
