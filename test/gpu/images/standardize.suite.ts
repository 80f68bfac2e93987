// Removes brightness, contrast and color cast.

import fc from "fast-check";
import { type Device, mean, standardize, tensor, valueAndGradients } from "../../../src/index.ts";
import { normal, uniform } from "../../random.ts";
import { map, type NdArray, ndarray } from "../../reference/ndarray.ts";
import { standardize as reference } from "../../reference/ops/images/standardize.ts";
import { assertClose, assertThrows, defineKernel, forAll } from "../suite.ts";

async function run(device: Device, x: NdArray, options: { epsilon?: number } = {}) {
  const given = tensor(x.shape, Float32Array.from(x.data));
  return (await valueAndGradients(device, ({ x }) => standardize(x, options), { x: given })).value.data;
}

const size = fc.integer({ min: 1, max: 40 });

defineKernel("standardize: random shapes", (device) =>
  forAll(fc.tuple(fc.integer({ min: 1, max: 3 }), size, size, fc.integer({ min: 1, max: 4 })), 6, async (shape) => {
    const x = map(normal(shape, 1), (value) => Math.fround(0.5 + 0.2 * value));
    assertClose("standardize", await run(device, x), reference({ x }).data);
  }),
);

defineKernel("standardize: a brighter, flatter, tinted picture becomes the same picture", async (device) => {
  const random = uniform(3);
  const x = ndarray(
    [1, 24, 20, 3],
    Float64Array.from({ length: 24 * 20 * 3 }, () => Math.fround(random())),
  );
  const tinted = map(x, (value, i) => Math.fround(0.3 + 0.1 * (i % 3) + (0.2 + 0.1 * (i % 3)) * value));
  // The epsilon of 1e-5 is 0.3 % of the smallest variance, 0.2^2 / 12.
  assertClose("standardize of tints", await run(device, tinted), await run(device, x), { tolerance: 5e-3 });
});

defineKernel("standardize: a uniform picture stays nearly zero, and so does its rounding noise", async (device) => {
  // The mean is rounded by up to 6e-8; times 1 / sqrt(epsilon) = 316 that is 2e-5.
  const limit = { tolerance: 1e-4, scale: 1 };
  const even = ndarray([2, 7, 9, 3], new Float64Array(2 * 7 * 9 * 3).fill(Math.fround(0.7)));
  assertClose("standardize of a uniform picture", await run(device, even), new Float64Array(even.data.length), limit);
  const nearly = map(even, (value, i) => Math.fround(value + (i % 2) * 1e-7));
  assertClose("standardize of rounding", await run(device, nearly), reference({ x: nearly }).data, limit);
});

defineKernel("standardize: another epsilon; no gradient; no other shape", async (device) => {
  const x = map(normal([1, 5, 5, 2], 4), Math.fround);
  assertClose("standardize", await run(device, x, { epsilon: 0.5 }), reference({ x }, { epsilon: 0.5 }).data);
  const picture = tensor([1, 2, 2, 1], [0, 1, 2, 3]);
  const gradients = () =>
    valueAndGradients(device, ({ x }) => mean(standardize(x)), { x: picture }, { gradientsOf: ["x"] });
  await assertThrows("a gradient", gradients, ["standardize", "no gradient"]);
  const flat = () => valueAndGradients(device, ({ x }) => standardize(x), { x: tensor([4], [0, 1, 2, 3]) });
  await assertThrows("a vector", flat, ["standardize", "[B, H, W, C]"]);
});
