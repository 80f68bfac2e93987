// Rules of single layers: dense + activation, the bias gradient under a max-pool, batchNorm + relu.

import { add, batchNorm, conv2d, dense, gradients, maxPool2d, relu, scale, sigmoid } from "../../../../src/index.ts";
import { rules } from "../../../../src/ops/fused/rules.ts";
import { assertEqual, defineOnce } from "../../suite.ts";
import { type ConvOptions, cases, type Network, type PoolOptions, rule, withGradients } from "./rules.ts";

const names = rules.map(({ name }) => name);

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
const pooled = (options?: ConvOptions, window?: PoolOptions): Network => ({
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
