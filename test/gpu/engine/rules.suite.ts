// Each rule of src/ops/fused/rules.ts: it matches its pattern, does not match if something else reads a tensor that it
// removes, and in both cases values and gradients equal those of the unfused operations.

import {
  absDifference,
  adam,
  add,
  batchNorm,
  centralDifference,
  conv2d,
  type Device,
  dense,
  flatten,
  gradients,
  l2Penalty,
  maxPool2d,
  mean,
  relu,
  scale,
  scaleBytes,
  sigmoid,
  sigmoidCrossEntropy,
  sum,
  Tape,
  type Tensor,
} from "../../../src/index.ts";
import { rules } from "../../../src/ops/fused/rules.ts";
import { compile } from "../../../src/tape/compile.ts";
import { planProgram } from "../../../src/tape/plan.ts";
import type { Rule } from "../../../src/tape/rewrite.ts";
import { binary, normal } from "../../random.ts";
import { assert, assertClose, assertEqual, assertThrows, defineOnce, OPERATION_TOLERANCE } from "../suite.ts";

/** For the same sums in another order. A block also sums batch statistics, whose gradients are a small remainder. */
const toleranceOf = (rules: readonly Rule[]) => (rules.includes(rule.block) ? OPERATION_TOLERANCE : 1e-6);

type Tensors = Record<string, Tensor>;

interface Network {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** For all comparisons; see `toleranceOf`. */
  readonly tolerance?: number;
  /** The outputs that are read back. */
  record(t: Tensors): Tensors;
}

const names = rules.map(({ name }) => name);
const named = (start: string): Rule => rules.find(({ name }) => name.startsWith(start))!;

const rule = {
  reluIntoNorm: named("batchNorm + relu"),
  block: named("block"),
  inferenceBlock: named("inference block"),
  bytes: named("bytes"),
  bias: named("bias gradient"),
  dense: named("dense + activation"),
  pairLoss: named("pair loss: "),
  layer: named("pair loss after"),
  loss: named("loss from"),
};

/** Values by name: pixels are bytes, labels zeros and ones, filters and kernels small, gammas about 1. */
function valuesOf(name: string, shape: readonly number[], seed: number): Float32Array | Uint8Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (name.startsWith("pixels")) return Uint8Array.from({ length: size }, (_, i) => (i * 37 + seed) % 256);
  if (name.startsWith("labels")) return Float32Array.from(binary(shape, seed).data);
  if (name.startsWith("variance")) return new Float32Array(size).fill(1.5);
  const fan = size / shape[shape.length - 1];
  const weights = name.startsWith("filter") || name.startsWith("kernel");
  const options = weights
    ? { deviation: 1 / Math.sqrt(fan) }
    : { mean: name.startsWith("gamma") ? 1 : 0, deviation: 0.5 };
  return Float32Array.from(normal(shape, seed, weights || name.startsWith("gamma") ? options : {}).data);
}

/** The results of a step without the given rules, and the rules that were applied. */
async function step(device: Device, { inputs, record }: Network, unused: readonly Rule[]) {
  const tape = new Tape(device);
  const entries = Object.entries(inputs);
  const tensors = entries.map(([name, shape]) => {
    const dtype = name.startsWith("pixels") ? "u8" : "f32";
    return [name, tape.input(name, shape, { dtype })] as const;
  });
  const outputs = record(Object.fromEntries(tensors));
  const applied = planProgram(tape, { outputs }, unused).stages.rewrites.map((r) => r.rule);
  const program = await compile(tape, { outputs }, unused);
  try {
    const feed = entries.map(([name, shape], i) => [name, valuesOf(name, shape, i + 1)] as const);
    return { applied, results: (await program.run(Object.fromEntries(feed))) as Record<string, Float32Array> };
  } finally {
    program.dispose();
    tape.store.dispose();
  }
}

async function check(device: Device, network: Network, expected: readonly Rule[]): Promise<void> {
  const fused = await step(device, network, []);
  assertEqual("applied", fused.applied.map((r) => r.name).sort(), expected.map((r) => r.name).sort());
  for (const unused of [...[...new Set(expected)].map((r) => [r]), rules]) {
    const { applied, results } = await step(device, network, unused);
    assert(!applied.some((r) => unused.includes(r)), `applied: ${applied.map((r) => r.name)}`);
    const tolerance = network.tolerance ?? toleranceOf(unused === rules ? expected : unused);
    for (const [name, values] of Object.entries(results)) {
      assert(
        values.some((v) => v !== 0),
        `${name} is zero everywhere`,
      );
      assertClose(name, fused.results[name], values, { tolerance });
    }
  }
}

const cases = (of: string, list: Readonly<Record<string, readonly [Network, ...Rule[]]>>) => {
  for (const [what, [network, ...expected]] of Object.entries(list)) {
    defineOnce(`rules: ${of}: ${what}`, (device) => check(device, network, expected));
  }
};

/** Gradients of the sum of y's sigmoids, so that no two elements have the same. */
function withGradients(y: Tensor, wrt: Tensors, more: Tensors = {}): Tensors {
  const found = gradients(sum(sigmoid(y)), Object.values(wrt));
  return { ...more, ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`gradient of ${name}`, found[i]])) };
}

defineOnce("rules: the table lists each once", async () => {
  assertEqual(
    "rules tested here",
    Object.values(rule)
      .map(({ name }) => name)
      .sort(),
    [...names].sort(),
  );
  assertEqual("distinct", new Set(names).size, names.length);
});

// ------------------------------------------------------------------------------------------------- inference block

const inference = {
  x: [3, 14, 10, 16],
  filter: [3, 3, 16, 20],
  bias: [20],
  gamma: [20],
  beta: [20],
  mean: [20],
  variance: [20],
};

cases("inference block", {
  "with a bias, a ReLU and scales of either sign": [
    {
      inputs: inference,
      record({ x, filter, bias, gamma, beta, mean, variance }) {
        const norm = { gamma: scale(gamma, -1), beta, moving: { mean, variance }, training: false };
        return { y: relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), norm)) };
      },
    },
    rule.reluIntoNorm,
    rule.inferenceBlock,
  ],
  "neither a bias nor a ReLU, and odd sides": [
    {
      inputs: { ...inference, x: [2, 7, 3, 16] },
      record({ x, filter, gamma, beta, mean, variance }) {
        return {
          y: batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta, moving: { mean, variance }, training: false }),
        };
      },
    },
    rule.inferenceBlock,
  ],
  "two, the first of bytes, which are scaled once for all of its threads": [
    {
      inputs: {
        ...inference,
        pixels: [3, 12, 8, 3],
        filter1: [3, 3, 3, 16],
        gamma1: [16],
        beta1: [16],
        mean1: [16],
        variance1: [16],
      },
      record({ pixels, filter1, gamma1, beta1, mean1, variance1, filter, bias, gamma, beta, mean, variance }) {
        const norm1 = { gamma: gamma1, beta: beta1, moving: { mean: mean1, variance: variance1 }, training: false };
        const first = batchNorm(maxPool2d(conv2d(scaleBytes(pixels), filter1)), { ...norm1, activation: "relu" });
        const norm = { gamma, beta, moving: { mean, variance }, training: false };
        return { y: batchNorm(maxPool2d(conv2d(first, filter, { bias })), norm) };
      },
    },
    rule.inferenceBlock,
    rule.inferenceBlock,
  ],
  "the values that it pools are asked for": [
    {
      inputs: inference,
      record({ x, filter, gamma, beta, mean, variance }) {
        const convolved = conv2d(x, filter);
        const norm = { gamma, beta, moving: { mean, variance }, training: false };
        return { y: batchNorm(maxPool2d(convolved), norm), convolved };
      },
    },
  ],
  "another tensor is differentiated": [
    {
      inputs: { ...inference, other: [3] },
      record({ x, filter, gamma, beta, mean, variance, other }) {
        const y = batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta, moving: { mean, variance }, training: false });
        return withGradients(other, { other }, { y });
      },
    },
    rule.block,
  ],
});

// ---------------------------------------------------------------------------------------------- dense + activation

const layer = { x: [6, 9], kernel: [9, 5], bias: [5] };
const activations = { relu, sigmoid };

for (const [name, activation] of Object.entries(activations)) {
  cases(`dense + ${name}`, {
    "with gradients": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const y = activation(dense(x, kernel, { bias }));
          return withGradients(y, { x, kernel, bias }, { y });
        },
      },
      rule.dense,
    ],
    "without a bias": [
      {
        inputs: { x: [6, 9], kernel: [9, 5] },
        record({ x, kernel }) {
          const y = activation(dense(x, kernel));
          return withGradients(y, { x, kernel }, { y });
        },
      },
      rule.dense,
    ],
    "gradients alone": [
      {
        inputs: layer,
        record: ({ x, kernel, bias }) => withGradients(activation(dense(x, kernel, { bias })), { kernel }),
      },
      rule.dense,
    ],
    "the sums before it are read twice": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const before = dense(x, kernel, { bias });
          return withGradients(add(activation(before), before), { x, kernel, bias });
        },
      },
    ],
    "the sums before it are asked for": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const before = dense(x, kernel, { bias });
          return withGradients(activation(before), { kernel }, { before });
        },
      },
    ],
    "differentiated by the sums before it": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const before = dense(x, kernel, { bias });
          return withGradients(activation(before), { before, kernel });
        },
      },
    ],
    "the sums before it differentiated as well": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const before = dense(x, kernel, { bias });
          const [linear] = gradients(before, [kernel], scale(before, 2));
          return withGradients(activation(before), { kernel }, { linear });
        },
      },
    ],
    "a dense layer with an activation already": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const y = activation(dense(x, kernel, { bias, activation: "sigmoid" }));
          return withGradients(y, { x, kernel, bias }, { y });
        },
      },
    ],
    "twice in a row": [
      {
        inputs: layer,
        record({ x, kernel, bias }) {
          const y = activation(activation(dense(x, kernel, { bias })));
          return withGradients(y, { x, kernel, bias }, { y });
        },
      },
      rule.dense,
    ],
  });
}

// ---------------------------------------------------------------------------------------- bias gradient under a max-pool

const conv = { x: [2, 7, 6, 3], filter: [3, 3, 3, 5], bias: [5] };
type Options = Parameters<typeof conv2d>[2];
type Window = Parameters<typeof maxPool2d>[1];
const pooled = (options?: Options, window?: Window): Network => ({
  inputs: conv,
  record({ x, filter, bias }) {
    const y = maxPool2d(conv2d(x, filter, { bias, ...options }), window);
    return withGradients(y, { x, filter, bias }, { y });
  },
});

cases("bias gradient under a max-pool", {
  "2 x 2 windows": [pooled(), rule.bias],
  "overlapping windows": [pooled({}, { size: 3, stride: 1 }), rule.bias],
  "windows that leave pixels out": [pooled({}, { size: 2, stride: 3 }), rule.bias],
  "padded windows": [pooled({}, { size: 3, stride: 2, padding: "same" }), rule.bias],
  "stride 2, VALID": [pooled({ stride: 2, padding: "valid" }, { size: 2, stride: 1 }), rule.bias],
  "gradient of the bias alone": [
    { inputs: conv, record: ({ x, filter, bias }) => withGradients(maxPool2d(conv2d(x, filter, { bias })), { bias }) },
    rule.bias,
  ],
  "the value alone": [
    { inputs: conv, record: ({ x, filter, bias }) => ({ y: maxPool2d(conv2d(x, filter, { bias })) }) },
    rule.bias,
  ],
  "no bias": [
    {
      inputs: { x: conv.x, filter: conv.filter },
      record({ x, filter }) {
        const y = maxPool2d(conv2d(x, filter));
        return withGradients(y, { x, filter }, { y });
      },
    },
  ],
  "two pools of one convolution": [
    {
      inputs: conv,
      record({ x, filter, bias }) {
        const y = conv2d(x, filter, { bias });
        return withGradients(add(maxPool2d(y), scale(maxPool2d(y), 2)), { x, filter, bias });
      },
    },
  ],
  "the convolution's output asked for": [
    {
      inputs: conv,
      record({ x, filter, bias }) {
        const y = conv2d(x, filter, { bias });
        return withGradients(maxPool2d(y), { bias }, { y });
      },
    },
  ],
  "differentiated by the convolution's output": [
    {
      inputs: conv,
      record({ x, filter, bias }) {
        const y = conv2d(x, filter, { bias });
        return withGradients(maxPool2d(y), { y, bias });
      },
    },
  ],
  "a ReLU in between": [
    {
      inputs: conv,
      record({ x, filter, bias }) {
        const y = maxPool2d(relu(conv2d(x, filter, { bias })));
        return withGradients(y, { x, filter, bias }, { y });
      },
    },
  ],
});

// ------------------------------------------------------------------------------------------------------ batchNorm + relu

const norm = { x: [6, 5], gamma: [5], beta: [5] };

cases("batchNorm + relu", {
  "with gradients, after an operation that is not a block": [
    {
      inputs: norm,
      record({ x, gamma, beta }) {
        const y = relu(batchNorm(scale(x, 3), { gamma, beta, groups: 2 }));
        return withGradients(y, { x, gamma, beta }, { y });
      },
    },
    rule.reluIntoNorm,
  ],
  "a sigmoid after it": [
    {
      inputs: norm,
      record({ x, gamma, beta }) {
        const y = sigmoid(batchNorm(x, { gamma, beta }));
        return withGradients(y, { x, gamma, beta }, { y });
      },
    },
  ],
  "the values before the ReLU are read twice": [
    {
      inputs: norm,
      record({ x, gamma, beta }) {
        const before = batchNorm(x, { gamma, beta });
        return withGradients(add(relu(before), before), { x, gamma, beta });
      },
    },
  ],
  "the values before the ReLU are asked for": [
    {
      inputs: norm,
      record({ x, gamma, beta }) {
        const before = batchNorm(x, { gamma, beta });
        return withGradients(relu(before), { x, gamma, beta }, { before });
      },
    },
  ],
  "differentiated by the values before the ReLU": [
    {
      inputs: norm,
      record({ x, gamma, beta }) {
        const before = batchNorm(x, { gamma, beta });
        return withGradients(relu(before), { before, gamma });
      },
    },
  ],
  "a ReLU already": [
    {
      inputs: norm,
      record({ x, gamma, beta }) {
        const y = relu(batchNorm(x, { gamma, beta, activation: "relu" }));
        return withGradients(y, { x, gamma, beta }, { y });
      },
    },
  ],
});

// ----------------------------------------------------------------------------------------------------------------- block

const tower = { x: [4, 8, 6, 4], filter: [3, 3, 4, 8], bias: [8], gamma: [8], beta: [8] };
const averages = { ...tower, mean: [8], variance: [8] };

/** The gradient of a bias before batch statistics is 0, so it is not requested. */
function blockOf(
  change: {
    readonly conv?: Options;
    readonly pool?: Window;
    readonly inputs?: Network["inputs"];
    readonly filter?: (filter: Tensor) => Tensor;
  } = {},
  last: (y: Tensor) => Tensor = relu,
): Network {
  const { filter: computed = (filter) => filter } = change;
  return {
    inputs: { ...tower, ...change.inputs },
    record({ x, filter, bias, gamma, beta }) {
      const before = maxPool2d(conv2d(x, computed(filter), { bias, ...change.conv }), change.pool);
      const y = last(batchNorm(before, { gamma, beta, groups: 2 }));
      return withGradients(y, { x, filter, gamma, beta }, { y });
    },
  };
}

/** The bias gradient under a max-pool can still be fused for two of the three operations. */
const apart = [rule.reluIntoNorm, rule.bias] as const;

cases("block", {
  "with ReLU": [blockOf(), rule.reluIntoNorm, rule.block],
  "without ReLU": [blockOf({}, (y) => y), rule.block],
  "a sigmoid after it": [blockOf({}, sigmoid), rule.block],
  "a filter that the step computes": [
    blockOf({ filter: (filter) => centralDifference(filter, 0.7) }),
    rule.reluIntoNorm,
    rule.block,
  ],
  "a computed filter of Winograd's channels": [
    blockOf({
      filter: (filter) => centralDifference(filter, 0.7),
      inputs: { x: [4, 8, 6, 16], filter: [3, 3, 16, 16], bias: [16], gamma: [16], beta: [16] },
    }),
    rule.reluIntoNorm,
    rule.block,
  ],
  "odd extents": [blockOf({ inputs: { x: [4, 7, 5, 4] } }), rule.reluIntoNorm, rule.block],
  "3 channels: the picture's gradient by the three operations": [
    blockOf({ inputs: { x: [4, 8, 6, 3], filter: [3, 3, 3, 8] } }),
    rule.reluIntoNorm,
    rule.block,
  ],
  "gradients alone": [
    {
      inputs: tower,
      record({ x, filter, bias, gamma, beta }) {
        const y = relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta }));
        return withGradients(y, { filter, gamma });
      },
    },
    rule.reluIntoNorm,
    rule.block,
  ],
  "the value alone": [
    {
      inputs: tower,
      record: ({ x, filter, bias, gamma, beta }) => ({
        y: batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta }),
      }),
    },
    rule.block,
  ],
  "by moving averages, where the bias has a gradient": [
    {
      inputs: averages,
      record({ x, filter, bias, gamma, beta, mean, variance }) {
        const moving = { mean, variance };
        const y = relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta, moving, training: false }));
        return withGradients(y, { x, filter, bias, gamma, beta }, { y });
      },
    },
    rule.reluIntoNorm,
    rule.block,
  ],
  "by moving averages, 3 channels": [
    {
      inputs: { ...averages, x: [4, 8, 6, 3], filter: [3, 3, 3, 8] },
      record({ x, filter, bias, gamma, beta, mean, variance }) {
        const moving = { mean, variance };
        const y = relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta, moving, training: false }));
        return withGradients(y, { x, bias }, { y });
      },
    },
    rule.reluIntoNorm,
    rule.block,
  ],
  "after a block": [
    {
      inputs: { ...tower, filter2: [3, 3, 8, 12], bias2: [12], gamma2: [12], beta2: [12] },
      record({ x, filter, bias, gamma, beta, filter2, bias2, gamma2, beta2 }) {
        const first = relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta }));
        const y = batchNorm(maxPool2d(conv2d(first, filter2, { bias: bias2 })), { gamma: gamma2, beta: beta2 });
        return withGradients(relu(y), { x, filter, gamma, filter2, gamma2 });
      },
    },
    ...[rule.reluIntoNorm, rule.reluIntoNorm, rule.block, rule.block],
  ],
  "after a block whose output is read, asked for and differentiated by": [
    {
      inputs: { ...tower, filter2: [3, 3, 8, 8], gamma2: [8], beta2: [8], kernel: [96, 2] },
      record({ x, filter, bias, gamma, beta, filter2, gamma2, beta2, kernel }) {
        const first = relu(batchNorm(maxPool2d(conv2d(x, filter, { bias })), { gamma, beta }));
        const second = batchNorm(maxPool2d(conv2d(first, filter2)), { gamma: gamma2, beta: beta2 });
        const loss = add(sum(sigmoid(second)), sum(sigmoid(dense(flatten(first), kernel))));
        const [ofFirst, ofFilter, ofX] = gradients(loss, [first, filter, x]);
        return { first, loss, ofFirst, ofFilter, ofX };
      },
    },
    ...[rule.reluIntoNorm, rule.block, rule.block, rule.dense],
  ],
  "one filter in two towers": [
    {
      inputs: { ...tower, other: tower.x },
      record({ x, other, filter, bias, gamma, beta }) {
        const of = (image: Tensor) => relu(batchNorm(maxPool2d(conv2d(image, filter, { bias })), { gamma, beta }));
        return withGradients(add(of(x), scale(of(other), 2)), { x, other, filter, gamma, beta });
      },
    },
    ...[rule.reluIntoNorm, rule.reluIntoNorm, rule.block, rule.block],
  ],
  "6 filters": [blockOf({ inputs: { filter: [3, 3, 4, 6], bias: [6], gamma: [6], beta: [6] } }), ...apart],
  "5 x 5 filters": [blockOf({ inputs: { filter: [5, 5, 4, 8] } }), ...apart],
  "stride 2": [blockOf({ conv: { stride: 2 } }), ...apart],
  "VALID padding": [blockOf({ conv: { padding: "valid" } }), ...apart],
  "3 x 3 windows": [blockOf({ pool: { size: 3 } }), ...apart],
  "overlapping windows": [blockOf({ pool: { size: 2, stride: 1 } }), ...apart],
  "padded windows of an odd image": [blockOf({ inputs: { x: [4, 7, 5, 4] }, pool: { padding: "same" } }), ...apart],
  "the pooled values asked for": [
    {
      inputs: tower,
      record({ x, filter, bias, gamma, beta }) {
        const before = maxPool2d(conv2d(x, filter, { bias }));
        return withGradients(relu(batchNorm(before, { gamma, beta })), { x, filter }, { before });
      },
    },
    ...apart,
  ],
  "the pooled values read twice": [
    {
      inputs: tower,
      record({ x, filter, bias, gamma, beta }) {
        const before = maxPool2d(conv2d(x, filter, { bias }));
        return withGradients(add(before, batchNorm(before, { gamma, beta })), { x, filter, gamma });
      },
    },
    rule.bias,
  ],
  "the convolution's output asked for": [
    {
      inputs: tower,
      record({ x, filter, bias, gamma, beta }) {
        const before = conv2d(x, filter, { bias });
        return withGradients(relu(batchNorm(maxPool2d(before), { gamma, beta })), { x, filter }, { before });
      },
    },
    rule.reluIntoNorm,
  ],
  "differentiated by the pooled values": [
    {
      inputs: tower,
      record({ x, filter, bias, gamma, beta }) {
        const before = maxPool2d(conv2d(x, filter, { bias }));
        return withGradients(relu(batchNorm(before, { gamma, beta })), { before, filter });
      },
    },
    ...apart,
  ],
});

// ----------------------------------------------------------------------------------------- bytes scaled in the first load

const picture = { pixels: [4, 8, 6, 3], filter: [3, 3, 3, 8], gamma: [8], beta: [8] };
const firstBlock = (x: Tensor, { filter, gamma, beta }: Tensors) =>
  batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta });

cases("bytes in the first load", {
  "a block after a picture": [
    {
      inputs: picture,
      record({ pixels, ...t }) {
        const y = firstBlock(scaleBytes(pixels), t);
        return withGradients(y, t, { y });
      },
    },
    rule.block,
    rule.bytes,
  ],
  "the pixels are read by something else too": [
    {
      inputs: { ...picture, kernel: [144, 2] },
      record({ pixels, kernel, ...t }) {
        const x = scaleBytes(pixels);
        const y = firstBlock(x, t);
        return { ...withGradients(y, t, { y, x }), other: dense(flatten(x), kernel) };
      },
    },
    rule.block,
    rule.bytes,
  ],
  "two blocks read the pixels": [
    {
      inputs: { ...picture, filter2: picture.filter },
      record({ pixels, filter2, ...t }) {
        const x = scaleBytes(pixels);
        const y = add(firstBlock(x, t), firstBlock(x, { ...t, filter: filter2 }));
        return withGradients(y, { ...t, filter2 }, { y });
      },
    },
    ...[rule.block, rule.block, rule.bytes, rule.bytes],
  ],
  "4 channels, whose gradient a block could give": [
    {
      inputs: { ...picture, pixels: [4, 8, 6, 4], filter: [3, 3, 4, 8] },
      record({ pixels, ...t }) {
        const y = firstBlock(scaleBytes(pixels), t);
        return withGradients(y, t, { y });
      },
    },
    rule.block,
    rule.bytes,
  ],
  "differentiated by the picture": [
    {
      inputs: picture,
      record({ pixels, ...t }) {
        const x = scaleBytes(pixels);
        return withGradients(firstBlock(x, t), { x, ...t });
      },
    },
    rule.block,
  ],
  "differentiated by the picture, 4 channels": [
    {
      inputs: { ...picture, pixels: [4, 8, 6, 4], filter: [3, 3, 4, 8] },
      record({ pixels, ...t }) {
        const x = scaleBytes(pixels);
        return withGradients(firstBlock(x, t), { x, ...t });
      },
    },
    rule.block,
  ],
  "no block after the picture": [
    {
      inputs: picture,
      record({ pixels, filter }) {
        const y = conv2d(scaleBytes(pixels), filter);
        return withGradients(y, { filter }, { y });
      },
    },
  ],
});

for (const channels of [3, 4]) {
  defineOnce(`rules: bytes in the first load: no gradient of the bytes, ${channels} channels`, async (device) => {
    const network: Network = {
      inputs: { ...picture, pixels: [4, 8, 6, channels], filter: [3, 3, channels, 8] },
      record: ({ pixels, ...t }) => withGradients(firstBlock(scaleBytes(pixels), t), { pixels }),
    };
    for (const unused of [[], rules]) {
      await assertThrows("gradient of bytes", () => step(device, network, unused), ['"pixels" holds u8']);
    }
  });
}

// ------------------------------------------------------------------------------------------------------------- pair loss

const pairs = { stack: [6, 5], kernel: [5, 1], bias: [1], labels: [3] };
const embedded = { x: [6, 7], weights: [7, 5], offset: [5], kernel: [5, 1], bias: [1], labels: [3] };

const lossOf = (stack: Tensor, { kernel, bias, labels }: Tensors) =>
  sigmoidCrossEntropy(dense(absDifference(stack), kernel, { bias }), labels);

function derived(loss: Tensor, wrt: Tensors, more: Tensors = {}): Tensors {
  const found = gradients(loss, Object.values(wrt));
  return { ...more, ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`gradient of ${name}`, found[i]])) };
}

/** A pair loss of a computed stack, and the other tensors that are read. */
const variant = (
  inputs: Network["inputs"],
  record: (t: Tensors) => Tensors,
  ...expected: readonly Rule[]
): readonly [Network, ...Rule[]] => [{ inputs, record }, ...expected];

cases("pair loss", {
  "loss and gradients": variant(
    pairs,
    (t) => {
      const loss = lossOf(t.stack, t);
      return derived(loss, { stack: t.stack, kernel: t.kernel, bias: t.bias }, { loss });
    },
    rule.pairLoss,
    rule.loss,
  ),
  "the loss alone": variant(pairs, (t) => ({ loss: lossOf(t.stack, t) }), rule.pairLoss),
  "gradients alone": variant(
    pairs,
    (t) => derived(lossOf(t.stack, t), { stack: t.stack, kernel: t.kernel }),
    rule.pairLoss,
    rule.loss,
  ),
  "the loss scaled": variant(
    pairs,
    (t) => {
      const loss = scale(lossOf(t.stack, t), 3);
      return derived(loss, { stack: t.stack, kernel: t.kernel, bias: t.bias }, { loss });
    },
    rule.pairLoss,
    rule.loss,
  ),
  "the gradient of the loss depends on the loss": variant(
    pairs,
    (t) => {
      const loss = lossOf(t.stack, t);
      const [ofStack, ofKernel] = gradients(loss, [t.stack, t.kernel], scale(loss, 2)); // of the loss squared
      return { loss, ofStack, ofKernel };
    },
    rule.pairLoss,
  ),
  "the gradient of the loss is the loss": variant(
    pairs,
    (t) => {
      const loss = lossOf(t.stack, t);
      const [ofStack, ofKernel] = gradients(loss, [t.stack, t.kernel], loss);
      return { loss, ofStack, ofKernel };
    },
    rule.pairLoss,
  ),
  "two requests for gradients of one loss": variant(
    pairs,
    (t) => {
      const loss = lossOf(t.stack, t);
      const [ofStack] = gradients(loss, [t.stack]);
      const [ofKernel] = gradients(scale(loss, 2), [t.kernel]);
      return { loss, ofStack, ofKernel };
    },
    rule.pairLoss,
    rule.loss,
  ),
  "two on one tape": variant(
    { ...pairs, kernel2: [5, 1], labels2: [3] },
    (t) => {
      const other = lossOf(t.stack, { ...t, kernel: t.kernel2, labels: t.labels2 });
      const loss = add(lossOf(t.stack, t), scale(other, 2));
      return derived(loss, { stack: t.stack, kernel: t.kernel, kernel2: t.kernel2, bias: t.bias }, { loss });
    },
    ...[rule.pairLoss, rule.pairLoss, rule.loss, rule.loss],
  ),
  "the logits asked for": variant(pairs, (t) => {
    const logits = dense(absDifference(t.stack), t.kernel, { bias: t.bias });
    return derived(sigmoidCrossEntropy(logits, t.labels), { stack: t.stack, kernel: t.kernel }, { logits });
  }),
  "the differences read twice": variant(pairs, (t) => {
    const difference = absDifference(t.stack);
    const loss = sigmoidCrossEntropy(dense(difference, t.kernel, { bias: t.bias }), t.labels);
    return derived(add(loss, mean(difference)), { stack: t.stack, kernel: t.kernel }, { loss });
  }),
  "differentiated by the differences": variant(pairs, (t) => {
    const difference = absDifference(t.stack);
    const loss = sigmoidCrossEntropy(dense(difference, t.kernel, { bias: t.bias }), t.labels);
    return derived(loss, { difference, kernel: t.kernel });
  }),
  "two outputs": variant({ stack: [6, 5], kernel: [5, 2], bias: [2], labels: [6] }, (t) => {
    const loss = lossOf(t.stack, t);
    return derived(loss, { stack: t.stack, kernel: t.kernel }, { loss });
  }),
  "no bias": variant({ stack: [6, 5], kernel: [5, 1], labels: [3] }, (t) => {
    const loss = sigmoidCrossEntropy(dense(absDifference(t.stack), t.kernel), t.labels);
    return derived(loss, { stack: t.stack, kernel: t.kernel }, { loss });
  }),
  "an activation": variant(
    pairs,
    (t) => {
      const score = sigmoid(dense(absDifference(t.stack), t.kernel, { bias: t.bias }));
      const loss = sigmoidCrossEntropy(score, t.labels);
      return derived(loss, { stack: t.stack, kernel: t.kernel }, { loss });
    },
    rule.dense,
  ),
  "two tensors instead of a stack": variant({ a: [3, 5], b: [3, 5], kernel: [5, 1], bias: [1], labels: [3] }, (t) => {
    const difference = absDifference(t.a, t.b);
    const loss = sigmoidCrossEntropy(dense(difference, t.kernel, { bias: t.bias }), t.labels);
    return derived(loss, { a: t.a, kernel: t.kernel }, { loss });
  }),
  "the differences are the kernel": variant({ stack: [10, 1], x: [3, 5], bias: [1], labels: [3] }, (t) => {
    const loss = sigmoidCrossEntropy(dense(t.x, absDifference(t.stack), { bias: t.bias }), t.labels);
    return derived(loss, { stack: t.stack, x: t.x }, { loss });
  }),
  "the differences are the bias": variant({ stack: [2], x: [3, 5], kernel: [5, 1], labels: [3] }, (t) => {
    const loss = sigmoidCrossEntropy(dense(t.x, t.kernel, { bias: absDifference(t.stack) }), t.labels);
    return derived(loss, { stack: t.stack, kernel: t.kernel }, { loss });
  }),
  "the logits are the labels": variant(pairs, (t) => {
    const logits = dense(absDifference(t.stack), t.kernel, { bias: t.bias });
    return { loss: sigmoidCrossEntropy(logits, logits) };
  }),
});

const activated = (t: Tensors) => sigmoid(dense(t.x, t.weights, { bias: t.offset }));

cases("pair loss after a sigmoid layer", {
  "loss and gradients": variant(
    embedded,
    (t) => {
      const loss = lossOf(activated(t), t);
      const { labels, ...wrt } = t;
      return derived(loss, wrt, { loss });
    },
    ...[rule.dense, rule.pairLoss, rule.layer, rule.loss],
  ),
  "the loss alone": variant(
    embedded,
    (t) => ({ loss: lossOf(activated(t), t) }),
    ...[rule.dense, rule.pairLoss, rule.layer],
  ),
  "two layers: the first stays as it is": variant(
    { ...embedded, x0: [6, 4], weights0: [4, 7], offset0: [7] },
    ({ x0, weights0, offset0, ...t }) => {
      const x = sigmoid(dense(x0, weights0, { bias: offset0 }));
      const loss = lossOf(activated({ ...t, x }), t);
      return derived(loss, { x0, weights0, offset0, weights: t.weights, offset: t.offset, kernel: t.kernel }, { loss });
    },
    ...[rule.dense, rule.dense, rule.pairLoss, rule.layer, rule.loss],
  ),
  "the embeddings asked for": variant(
    embedded,
    (t) => {
      const embeddings = activated(t);
      return derived(lossOf(embeddings, t), { x: t.x, weights: t.weights, offset: t.offset }, { embeddings });
    },
    ...[rule.dense, rule.pairLoss, rule.loss],
  ),
  "differentiated by the embeddings": variant(
    embedded,
    (t) => {
      const embeddings = activated(t);
      return derived(lossOf(embeddings, t), { embeddings, weights: t.weights });
    },
    ...[rule.dense, rule.pairLoss, rule.loss],
  ),
  "two losses of one embedding": variant(
    { ...embedded, labels2: [3] },
    (t) => {
      const embeddings = activated(t);
      const loss = add(lossOf(embeddings, t), scale(lossOf(embeddings, { ...t, labels: t.labels2 }), 2));
      return derived(loss, { x: t.x, weights: t.weights, offset: t.offset, kernel: t.kernel }, { loss });
    },
    ...[rule.dense, rule.pairLoss, rule.pairLoss, rule.loss, rule.loss],
  ),
  "a ReLU layer": variant(
    embedded,
    (t) => {
      const loss = lossOf(relu(dense(t.x, t.weights, { bias: t.offset })), t);
      return derived(loss, { x: t.x, weights: t.weights, offset: t.offset }, { loss });
    },
    ...[rule.dense, rule.pairLoss, rule.loss],
  ),
  "a layer without a bias": variant(
    { x: [6, 7], weights: [7, 5], kernel: [5, 1], bias: [1], labels: [3] },
    (t) => {
      const loss = lossOf(sigmoid(dense(t.x, t.weights)), t);
      return derived(loss, { x: t.x, weights: t.weights }, { loss });
    },
    ...[rule.dense, rule.pairLoss, rule.loss],
  ),
});

// ------------------------------------------------------------------------------------------- frozen programs

for (const filters of [8, 6]) {
  defineOnce(`rules: a frozen program leaves moving averages unchanged, ${filters} filters`, async (device) => {
    const tape = new Tape(device);
    const x = tape.input("x", [4, 8, 6, 4]);
    const filter = tape.parameter("filter", [3, 3, 4, filters], { initial: "glorot-uniform", seed: 1 });
    const vector = (name: string, initial: number, trainable = true) =>
      tape.parameter(name, [filters], { initial, trainable });
    const moving = { mean: vector("mean", 3, false), variance: vector("variance", 2, false) };
    const gamma = vector("gamma", 1);
    const y = relu(batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta: vector("beta", 0), moving }));
    const loss = mean(y);
    const [outputs, feed] = [{ y, g: gradients(loss, [filter])[0] }, { x: valuesOf("x", x.shape, 1) }];
    const read = async () => [...(await tape.store.read("mean")), ...(await tape.store.read("variance"))];
    const run = async (frozen: boolean) => {
      const program = await compile(tape, { loss, outputs, frozen });
      const result = await program.run(feed);
      program.dispose();
      return result as unknown as Record<"y" | "g", Float32Array>;
    };
    try {
      tape.store.place();
      const before = await read();
      const still = await run(true);
      assertEqual("averages", await read(), before);
      const moved = await run(false);
      assert(
        (await read()).every((v, i) => v !== before[i]),
        "the averages of a program that is not frozen move",
      );
      for (const name of ["y", "g"] as const) assertClose(name, still[name], moved[name], { tolerance: 1e-6 });
    } finally {
      tape.store.dispose();
    }
  });
}

// ------------------------------------------------------------------------------------------ L2 penalties and the optimizer

/**
 * Adam's first moment after one step is a tenth of the gradient. Both this gradient and the loss that the step reports
 * must include the penalties, as recorded.
 */
async function checkPenalties(
  device: Device,
  record: (tape: Tape, p: Tensors) => { loss: Tensor; outputs?: Tensors },
  dispatchesOfPenalties: number,
): Promise<void> {
  const build = (parameters?: Tape["store"]) => {
    const tape = new Tape(device, { parameters });
    const of = (name: string, shape: readonly number[], trainable = true) =>
      [name, tape.parameter(name, shape, { initial: "glorot-uniform", seed: 3, trainable })] as const;
    const p = Object.fromEntries([of("kernel", [5, 4]), of("second", [4, 3]), of("kept", [4, 3], false)]);
    return { tape, p, ...record(tape, p) };
  };
  const plain = build();
  const { store } = plain.tape;
  const trained = ["kernel", "second"];
  const found = gradients(
    plain.loss,
    trained.map((name) => plain.p[name]),
  );
  const outputs = { ...plain.outputs, ...Object.fromEntries(trained.map((name, i) => [name, found[i]])) };
  const unfused = await compile(plain.tape, { loss: plain.loss, outputs });
  const training = build(store);
  const program = await compile(training.tape, { loss: training.loss, outputs: training.outputs, optimizer: adam() });
  try {
    const feed = { x: valuesOf("x", [6, 5], 1) };
    const expected = (await unfused.run(feed)) as unknown as Record<string, Float32Array> & { loss: number };
    const result = (await program.run(feed)) as unknown as Record<string, Float32Array> & { loss: number };
    assertClose("loss", [result.loss], [expected.loss], { tolerance: 1e-6 });
    for (const name of Object.keys(plain.outputs ?? {}))
      assertClose(name, result[name], expected[name], { tolerance: 1e-6 });
    for (const name of trained) {
      const moment = await store.readState(name, "first moment");
      assertClose(
        `gradient of ${name}`,
        moment.map((m) => 10 * m),
        expected[name],
        { tolerance: 1e-6 },
      );
    }
    const kernels = program.graph.kernels.filter(({ operation }) => operation.startsWith("l2Penalty"));
    assertEqual("dispatches of l2Penalty", kernels.length, dispatchesOfPenalties);
  } finally {
    unfused.dispose();
    program.dispose();
    store.dispose();
  }
}

const data = (tape: Tape, { kernel, second }: Tensors) =>
  mean(sigmoid(dense(relu(dense(tape.input("x", [6, 5]), kernel)), second)));

for (const [what, record, dispatches = 0] of [
  [
    "one each",
    (tape, p) => ({ loss: [p.kernel, p.second].reduce((l, w) => add(l, l2Penalty(w, 0.3)), data(tape, p)) }),
  ],
  [
    "two of one parameter",
    (tape, p) => ({ loss: add(add(l2Penalty(p.kernel, 0.3), data(tape, p)), l2Penalty(p.kernel, 0.5)) }),
  ],
  [
    "a sum that is used twice",
    (tape, p) => {
      const half = add(data(tape, p), l2Penalty(p.second, 0.3));
      return { loss: add(half, half) };
    },
  ],
  ["of a parameter that is not trained", (tape, p) => ({ loss: add(data(tape, p), l2Penalty(p.kept, 0.3)) }), 1],
  [
    "requested as an output",
    (tape, p) => {
      const penalty = l2Penalty(p.kernel, 0.3);
      const loss = add(data(tape, p), penalty);
      return { loss, outputs: { penalty, total: loss } };
    },
    1,
  ],
  // A term of another kind: its gradient takes two further launches.
  ["scaled", (tape, p) => ({ loss: add(data(tape, p), scale(l2Penalty(p.kernel, 0.3), 2)) }), 2],
  [
    "of a tensor that is not a parameter",
    (tape, p) => ({ loss: add(data(tape, p), l2Penalty(scale(p.kernel, 2), 0.3)) }),
    2,
  ],
  ["with the factor 0", (tape, p) => ({ loss: add(data(tape, p), l2Penalty(p.kernel, 0)) })],
] as [string, Parameters<typeof checkPenalties>[1], number?][]) {
  defineOnce(`rules: L2 penalties: ${what}`, (device) => checkPenalties(device, record, dispatches));
}

defineOnce("rules: L2 penalties: a loss of penalties only", async (device) => {
  const tape = new Tape(device);
  const w = tape.parameter("w", [7], { initial: Float32Array.from([1, -2, 3, 0, 5, -6, 7]) });
  const program = await tape.compile({ loss: add(l2Penalty(w, 0.5), l2Penalty(w, 1.5)), optimizer: adam() });
  try {
    assertClose("loss", [(await program.run()).loss as number], [124], { tolerance: 1e-6 });
    const moment = await tape.store.readState("w", "first moment");
    assertClose(
      "gradient",
      moment.map((m) => 10 * m),
      [2, -4, 6, 0, 10, -12, 14],
      { tolerance: 1e-6 },
    );
  } finally {
    program.dispose();
    tape.store.dispose();
  }
});

// --------------------------------------------------------------------------------------------- other networks

const own = {
  pixels: [2, 8, 8, 3],
  pixels2: [2, 8, 8, 3],
  pixels3: [2, 8, 8, 3],
  filter: [3, 3, 3, 8],
  gamma: [8],
  beta: [8],
  filter2: [3, 3, 8, 8],
  bias2: [8],
  kernel: [32, 6],
  offset: [6],
  head: [6, 1],
  bias: [1],
  labels: [2],
};

cases("networks of a user's own", {
  "three towers of one filter, a second filter of one of them, and a loss of three terms": [
    {
      inputs: own,
      tolerance: OPERATION_TOLERANCE,
      record: ({ pixels, pixels2, pixels3, labels, ...p }) => {
        const tower = (bytes: Tensor) => {
          const first = relu(
            batchNorm(maxPool2d(conv2d(scaleBytes(bytes), p.filter)), { gamma: p.gamma, beta: p.beta }),
          );
          const second = relu(maxPool2d(conv2d(first, p.filter2, { bias: p.bias2 })));
          return sigmoid(dense(flatten(second), p.kernel, { bias: p.offset }));
        };
        const [a, b, c] = [pixels, pixels2, pixels3].map(tower);
        const score = (u: Tensor, v: Tensor) => dense(absDifference(u, v), p.head, { bias: p.bias });
        const terms = [
          sigmoidCrossEntropy(score(a, b), labels),
          scale(sigmoidCrossEntropy(score(a, c), labels), 0.5),
          scale(mean(absDifference(b, c)), 0.1),
        ];
        const loss = terms.reduce(add);
        return derived(loss, p, { loss, a, b });
      },
    },
    ...[1, 2, 3].flatMap(() => [rule.reluIntoNorm, rule.block, rule.bytes, rule.bias, rule.dense]),
  ],
});
