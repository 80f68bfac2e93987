// A block of the tower, batchNorm(maxPool2d(conv2d(x))), as one operation, against the references of its three
// operations.
import fc from "fast-check";
import {
  batchNorm,
  conv2d,
  type Device,
  maxPool2d,
  scale,
  sum,
  type Tensor,
  tensor,
  valueAndGradients,
} from "../../../src/index.ts";
import { normal } from "../../random.ts";
import type { NdArray, NdArrays } from "../../reference/ndarray.ts";
import { references } from "../../reference/operations.ts";
import { assertClose, defineKernel, forAll } from "../suite.ts";
import { deviceAs, deviceChoosing, kinds } from "../variants.ts";

interface Case {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly bias: boolean;
  readonly activation?: "relu";
}

function inputsOf({ batch, height, width, channels, filters, bias }: Case): NdArrays {
  const fan = 1 / Math.sqrt(9 * channels);
  return {
    x: normal([batch, height, width, channels], 1),
    filter: normal([3, 3, channels, filters], 2, { deviation: fan }),
    ...(bias ? { bias: normal([filters], 3) } : {}),
    gamma: normal([filters], 4, { mean: 1, deviation: 0.2 }),
    beta: normal([filters], 5, { deviation: 0.3 }),
  } as NdArrays;
}

function compose({ filter, bias, gamma, beta, x }: Record<string, Tensor>, { groups, activation }: Case): Tensor {
  return batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta, groups, activation });
}

function expected(inputs: NdArrays, { groups, activation }: Case, gradient: NdArray) {
  const { x, filter, bias, gamma, beta } = inputs;
  const conv = { x, filter, ...(bias ? { bias } : {}) } as NdArrays;
  const convolved = references.conv2d.value(conv, {});
  const pooled = references.maxPool2d.value({ x: convolved }, {});
  const norm = { x: pooled, gamma, beta };
  const normalized = references.batchNorm.value(norm, { groups });
  const value = activation ? references.relu.value({ x: normalized }) : normalized;
  const arriving = activation ? references.relu.gradients({ x: normalized }, {}, gradient).x : gradient;
  const fromNorm = references.batchNorm.gradients(norm, { groups }, arriving);
  const fromPool = references.maxPool2d.gradients({ x: convolved }, {}, fromNorm.x);
  const fromConv = references.conv2d.gradients(conv, {}, fromPool.x);
  return { value, gradients: { ...fromConv, gamma: fromNorm.gamma, beta: fromNorm.beta } as NdArrays };
}

async function check(device: Device, example: Case): Promise<void> {
  const inputs = inputsOf(example);
  const values = Object.fromEntries(Object.entries(inputs).map(([n, a]) => [n, tensor(a.shape, a.data)]));
  const shape = [example.batch, example.height >> 1, example.width >> 1, example.filters];
  const gradient = normal(shape, 6);
  const reference = expected(inputs, example, gradient);
  const found = await valueAndGradients(device, (t) => compose(t, example), values, {
    gradientsOf: Object.keys(values),
    outputGradient: tensor(shape, gradient.data),
  });
  assertClose("block", found.value.data, reference.value.data);
  for (const name of Object.keys(values)) {
    // A bias before batch statistics has no effect: its gradient is 0, from terms as large as those of beta.
    const scale = name === "bias" ? Math.max(...reference.gradients.beta.data.map(Math.abs)) : undefined;
    assertClose(`block gradient of ${name}`, found.gradients[name].data, reference.gradients[name].data, { scale });
  }
}

for (const kind of kinds) {
  defineKernel(`block: random shapes as on ${kind}`, (device) =>
    forAll(
      fc.record({
        groups: fc.integer({ min: 1, max: 2 }),
        each: fc.integer({ min: 2, max: 3 }),
        height: fc.integer({ min: 2, max: 15 }),
        width: fc.integer({ min: 2, max: 15 }),
        channels: fc.constantFrom(1, 3, 5, 16, 20),
        filters: fc.constantFrom(4, 16, 24),
        bias: fc.boolean(),
        activation: fc.constantFrom(undefined, "relu" as const),
      }),
      6,
      ({ each, ...example }) => check(deviceAs(device, kind), { ...example, batch: each * example.groups }),
    ),
  );

  for (const [what, example] of Object.entries({
    "first layer": { batch: 4, height: 28, width: 28, channels: 1, filters: 32, groups: 2, bias: true },
    "64 channels": { batch: 2, height: 14, width: 10, channels: 64, filters: 64, groups: 2, bias: true },
    "128 to 256 channels": { batch: 2, height: 4, width: 6, channels: 128, filters: 256, groups: 1, bias: true },
    "3 x 3 images": { batch: 16, height: 3, width: 3, channels: 32, filters: 32, groups: 2, bias: true },
  })) {
    defineKernel(`block: ${what} as on ${kind}`, (device) =>
      check(deviceAs(device, kind), { ...example, activation: "relu" }),
    );
  }
}

defineKernel("block, and a single convolution: a filter that the step computes", async (device) => {
  const [height, width, channels] = [6, 7, 16];
  const example: Case = { batch: 2, height, width, channels, filters: 16, groups: 1, bias: false };
  const inputs = inputsOf(example);
  const values = Object.fromEntries(Object.entries(inputs).map(([n, a]) => [n, tensor(a.shape, a.data)]));
  const options = { gradientsOf: Object.keys(values) };
  const doubled: typeof values = {
    ...values,
    filter: tensor(
      inputs.filter.shape,
      inputs.filter.data.map((v) => 2 * v),
    ),
  };
  const exact = { tolerance: 0 }; // doubling is exact
  for (const [what, of] of [
    ["block", (t: Record<string, Tensor>) => compose(t, example)],
    ["conv2d", ({ x, filter }: Record<string, Tensor>) => conv2d(x, filter)],
  ] as const) {
    const given = await valueAndGradients(device, (t) => sum(of(t)), doubled, options);
    const computed = await valueAndGradients(
      device,
      (t) => sum(of({ ...t, filter: scale(t.filter, 2) })),
      values,
      options,
    );
    assertClose(`${what}: value`, computed.value.data, given.value.data, exact);
    assertClose(`${what}: x`, computed.gradients.x.data, given.gradients.x.data, exact);
    assertClose(
      `${what}: filter`,
      computed.gradients.filter.data,
      given.gradients.filter.data.map((v) => 2 * v),
      exact,
    );
  }
});

for (const [kind, candidate] of [
  ["software adapters", "direct"],
  ["GPUs", "shared"],
] as const) {
  // The filter copies one pixel, so that convolution and pooling are exact and only the statistics have an error.
  defineKernel(`block: mean 1e4, deviation 0.1 in front of the statistics, ${candidate}`, async (device) => {
    const [batch, height, width, channels] = [4, 8, 8, 4];
    const filter = new Float64Array(9 * channels * channels);
    for (let c = 0; c < channels; c++) filter[(4 * channels + c) * channels + c] = 1;
    const inputs: NdArrays = {
      x: normal([batch, height, width, channels], 1, { mean: 1e4, deviation: 0.1 }),
      filter: { shape: [3, 3, channels, channels], data: filter },
      gamma: normal([channels], 4, { mean: 1, deviation: 0.2 }),
      beta: normal([channels], 5, { deviation: 0.3 }),
    };
    const example: Case = { batch, height, width, channels, filters: channels, groups: 2, bias: false };
    const gradient = normal([batch, 4, 4, channels], 6);
    const reference = expected(inputs, example, gradient);
    const values = Object.fromEntries(Object.entries(inputs).map(([n, a]) => [n, tensor(a.shape, a.data)]));
    const found = await valueAndGradients(
      deviceChoosing(deviceAs(device, kind), candidate),
      (t) => compose(t, example),
      values,
      { gradientsOf: ["x", "gamma", "beta"], outputGradient: tensor([batch, 4, 4, channels], gradient.data) },
    );
    assertClose("block", found.value.data, reference.value.data);
    for (const name of ["x", "gamma", "beta"]) {
      assertClose(`block gradient of ${name}`, found.gradients[name].data, reference.gradients[name].data);
    }
  });
}
