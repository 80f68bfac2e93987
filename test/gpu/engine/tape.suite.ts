// The tape beyond single operations: accumulation, weight sharing, scalars in formulas, clear errors.

import {
  absDifference,
  add,
  batchNorm,
  conv2d,
  dense,
  flatten,
  l2Normalize,
  maxPool2d,
  mean,
  relu,
  scale,
  sigmoid,
  sum,
  type Value,
  valueAndGradients,
} from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { map } from "../../reference/ndarray.ts";
import { references } from "../../reference/operations.ts";
import { toValue } from "../operation.ts";
import { assert, assertClose, assertEqual, assertSameBits, define } from "../suite.ts";

define("tape: a tensor used several times accumulates its gradient", async (device) => {
  const x = normal([5, 7], 1);
  const g = normal([5, 7], 2);
  const { gradients } = await valueAndGradients(
    device,
    ({ x }) => add(add(relu(x), scale(x, 2)), add(x, x)),
    { x: toValue(x) },
    { gradientsOf: ["x"], outputGradient: toValue(g) },
  );
  const expected = g.data.map((value, i) => value * ((x.data[i] > 0 ? 1 : 0) + 4));
  assertClose("gradient", gradients.x.data, expected);
});

define("tape: both inputs of |a - b| may be the same tensor", async (device) => {
  const { value, gradients } = await valueAndGradients(
    device,
    ({ x }) => sum(absDifference(x, x)),
    { x: toValue(normal([9], 1)) },
    { gradientsOf: ["x"] },
  );
  assertEqual("value", value.data[0], 0);
  assert(
    gradients.x.data.every((g) => g === 0),
    `gradient is ${gradients.x.data}`,
  );
});

define("tape: one kernel in two layers gets the sum of both gradients", async (device) => {
  const inputs = { x: normal([6, 9], 1), kernel: normal([9, 9], 2) };
  const hidden = references.dense.value(inputs, { activation: "sigmoid" });
  const second = { x: hidden, kernel: inputs.kernel };
  const g = normal([6, 9], 3);
  const after = references.dense.gradients(second, {}, g);
  const before = references.dense.gradients(inputs, { activation: "sigmoid" }, after.x);
  const { value, gradients } = await valueAndGradients(
    device,
    ({ x, kernel }) => dense(dense(x, kernel, { activation: "sigmoid" }), kernel),
    { x: toValue(inputs.x), kernel: toValue(inputs.kernel) },
    { gradientsOf: ["x", "kernel"], outputGradient: toValue(g) },
  );
  assertClose("value", value.data, references.dense.value(second, {}).data);
  assertClose("gradient of x", gradients.x.data, before.x.data);
  const shared = map(after.kernel, (value, i) => value + before.kernel.data[i]);
  assertClose("gradient of kernel", gradients.kernel.data, shared.data);
});

define("tape: a loss may be scaled and added to another", async (device) => {
  const x = normal([4, 3], 1);
  const { value, gradients } = await valueAndGradients(
    device,
    ({ x }) => add(scale(mean(x), 12), scale(sum(relu(x)), -0.5)),
    { x: toValue(x) },
    { gradientsOf: ["x"] },
  );
  const total = x.data.reduce((sum, v) => sum + v - 0.5 * Math.max(0, v), 0);
  assertClose("value", value.data, [total]);
  assertClose(
    "gradient",
    gradients.x.data,
    x.data.map((v) => (v > 0 ? 0.5 : 1)),
  );
});

define("tape: a flattened tensor and the tensor itself can both be used", async (device) => {
  const x = normal([2, 3, 2, 5], 1);
  const kernel = normal([30, 4], 2);
  const { gradients } = await valueAndGradients(
    device,
    ({ x, kernel }) => add(sum(dense(flatten(x), kernel)), sum(scale(x, 3))),
    { x: toValue(x), kernel: toValue(kernel) },
    { gradientsOf: ["x"] },
  );
  const rowSum = (i: number) => kernel.data.slice(4 * i, 4 * i + 4).reduce((a, b) => a + b, 0);
  assertClose(
    "gradient",
    gradients.x.data,
    x.data.map((_, i) => 3 + rowSum(i % 30)),
  );
  assertEqual("shape", gradients.x.shape, [2, 3, 2, 5]);
});

define("tape: an input that the value does not depend on has gradient 0", async (device) => {
  const { gradients } = await valueAndGradients(
    device,
    ({ x }) => sum(x),
    { x: toValue(normal([3], 1)), unused: toValue(normal([2, 2], 1)) },
    { gradientsOf: ["x", "unused"] },
  );
  assertEqual("gradient", [...gradients.unused.data], [0, 0, 0, 0]);
});

define("tape: the same evaluation twice gives the same bits", async (device) => {
  const inputs = {
    x: toValue(normal([3, 13, 11, 5], 1)),
    filter: toValue(normal([3, 3, 5, 17], 2)),
    bias: toValue(normal([17], 3)),
    gamma: toValue(normal([17], 4)),
    beta: toValue(normal([17], 5)),
    kernel: toValue(normal([510, 23], 6)),
  };
  const names = Object.keys(inputs) as (keyof typeof inputs)[];
  const run = () =>
    valueAndGradients(
      device,
      ({ x, filter, bias, gamma, beta, kernel }) =>
        mean(
          dense(flatten(relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta }))), kernel, {
            activation: "sigmoid",
          }),
        ),
      inputs,
      { gradientsOf: names },
    );
  const first = await run();
  const second = await run();
  assertSameBits("value", second.value.data, first.value.data);
  for (const name of names) {
    assertSameBits(`gradient of ${name}`, second.gradients[name].data, first.gradients[name].data);
  }
});

define("tape: the derivative along a direction agrees with central differences", async (device) => {
  const shapes = { x: [2, 8, 8, 3], filter: [3, 3, 3, 6], gamma: [6], beta: [6], kernel: [96, 5] };
  const names = Object.keys(shapes) as (keyof typeof shapes)[];
  const at = (step: number) =>
    Object.fromEntries(
      names.map((name, n) => {
        const direction = normal(shapes[name], 50 + n);
        return [name, toValue(map(normal(shapes[name], n), (v, i) => v + step * direction.data[i]))];
      }),
    ) as Record<keyof typeof shapes, Value>;
  // Smooth except for the pool: ReLU's kinks would need a step too small for float32.
  const run = (step: number, gradientsOf: typeof names = []) =>
    valueAndGradients(
      device,
      ({ x, filter, gamma, beta, kernel }) =>
        sum(
          dense(l2Normalize(flatten(sigmoid(batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta })))), kernel, {
            activation: "sigmoid",
          }),
        ),
      at(step),
      { gradientsOf },
    );
  const STEP = 2e-3;
  const [above, below, { gradients }] = [await run(STEP), await run(-STEP), await run(0, names)];
  const along = names.reduce((total, name, n) => {
    const direction = normal(shapes[name], 50 + n).data;
    return total + gradients[name].data.reduce((sum, g, i) => sum + g * direction[i], 0);
  }, 0);
  const expected = (above.value.data[0] - below.value.data[0]) / (2 * STEP);
  assertClose("derivative along a direction", [along], [expected], { tolerance: 1e-2 });
});
