// Rules of blocks of convolution, max-pool and batch-norm, in training and inference, and of bytes scaled in their first load.

import {
  add,
  batchNorm,
  centralDifference,
  conv2d,
  dense,
  flatten,
  gradients,
  maxPool2d,
  relu,
  scale,
  scaleBytes,
  sigmoid,
  sum,
  type Tensor,
} from "../../../../src/index.ts";
import { rules } from "../../../../src/ops/fused/rules.ts";
import { assertThrows, defineOnce } from "../../suite.ts";
import {
  type ConvOptions,
  cases,
  type Network,
  type PoolOptions,
  rule,
  step,
  type Tensors,
  withGradients,
} from "./rules.ts";

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

// ----------------------------------------------------------------------------------------------------------------- block

const tower = { x: [4, 8, 6, 4], filter: [3, 3, 4, 8], bias: [8], gamma: [8], beta: [8] };
const averages = { ...tower, mean: [8], variance: [8] };

/** The gradient of a bias before batch statistics is 0, so it is not requested. */
function blockOf(
  change: {
    readonly conv?: ConvOptions;
    readonly pool?: PoolOptions;
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
