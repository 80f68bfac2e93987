// Rules of pair losses, alone and after a sigmoid layer.

import {
  absDifference,
  add,
  dense,
  gradients,
  mean,
  relu,
  scale,
  sigmoid,
  sigmoidCrossEntropy,
  type Tensor,
} from "../../../../src/index.ts";
import type { Rule } from "../../../../src/tape/rewrite.ts";
import { cases, derived, type Network, rule, type Tensors } from "./rules.ts";

// ------------------------------------------------------------------------------------------------------------- pair loss

const pairs = { stack: [6, 5], kernel: [5, 1], bias: [1], labels: [3] };
const embedded = { x: [6, 7], weights: [7, 5], offset: [5], kernel: [5, 1], bias: [1], labels: [3] };

const lossOf = (stack: Tensor, { kernel, bias, labels }: Tensors) =>
  sigmoidCrossEntropy(dense(absDifference(stack), kernel, { bias }), labels);

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
