// TensorFlow.js on its WebGPU backend, in the form that is fastest for it: both branches in one batch, batch-norm as
// one multiply-add of the activations, bias fused into convolution and matrix product wherever that costs no extra
// gradient.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import {
  adamOptions,
  type Batch,
  batchNormEpsilon,
  type Configuration,
  l2,
  targets,
  type Values,
} from "../configurations.ts";
import type { OperationCase } from "../operations.ts";
import type { Embeds, Engine, Subject, Weights } from "./engine.ts";

async function start(): Promise<void> {
  if (!(await tf.setBackend("webgpu")) || tf.getBackend() !== "webgpu") {
    throw new Error("TensorFlow.js could not start its WebGPU backend.");
  }
}

/** Statistics of each half of the batch; scale and shift are computed on [2, 1, C], so that x is read once. */
function batchNorm(x: tf.Tensor4D, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const halves = tf.reshape(x, [2, (batch / 2) * height * width, channels]);
  const { mean, variance } = tf.moments(halves, 1, true);
  const factor = tf.mul(gamma, tf.rsqrt(tf.add(variance, batchNormEpsilon)));
  const shift = tf.sub(beta, tf.mul(mean, factor));
  return tf.reshape(tf.add(tf.mul(halves, factor), shift), x.shape);
}

type Variables = Record<string, tf.Variable>;

function embedding(c: Configuration, p: Variables, images: tf.Tensor4D): tf.Tensor2D {
  let x = images;
  c.filters.forEach((_, i) => {
    const at = (name: string) => p[`tower/block${i + 1}/${name}`];
    const filter = at("conv/kernel") as tf.Tensor as tf.Tensor4D;
    const bias = at("conv/bias");
    // The fused form always computes the gradient of its input, which the first layer does not need.
    const convolved =
      i === 0
        ? tf.add(tf.conv2d(x, filter, 1, "same"), bias)
        : tf.fused.conv2d({ x, filter, strides: 1, pad: "same", bias });
    const pooled = tf.maxPool(convolved as tf.Tensor4D, 2, 2, "valid");
    x = tf.relu(batchNorm(pooled, at("norm/gamma"), at("norm/beta")));
  });
  const flat = tf.reshape(x, [x.shape[0], -1]);
  const kernel = p["tower/dense/kernel"] as tf.Tensor as tf.Tensor2D;
  return tf.sigmoid(tf.fused.matMul({ a: flat, b: kernel, bias: p["tower/dense/bias"] })) as tf.Tensor2D;
}

function totalLoss(c: Configuration, p: Variables, images: tf.Tensor4D, labels: tf.Tensor): tf.Scalar {
  const [left, right] = tf.split(embedding(c, p, images), 2);
  const distance = tf.abs(tf.sub(left, right)) as tf.Tensor2D;
  const logits = tf.add(tf.matMul(distance, p["head/kernel"] as tf.Tensor as tf.Tensor2D), p["head/bias"]);
  const crossEntropy = tf.losses.sigmoidCrossEntropy(labels, tf.reshape(logits, [c.pairs]));
  const penalties = c.filters.map((_, i) => tf.mul(tf.sum(tf.square(p[`tower/block${i + 1}/conv/kernel`])), l2 / 2));
  return tf.addN([crossEntropy, ...penalties]) as tf.Scalar;
}

async function network(c: Configuration, parameters: Map<string, Values>, batch: Batch): Promise<Subject> {
  await start();
  const p: Variables = {};
  for (const [name, { shape, data }] of parameters) p[name] = tf.variable(tf.tensor(data, [...shape]), true);
  const { learningRate, beta1, beta2, epsilon } = adamOptions;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const both = new Float32Array(batch.left.length * 2);
  both.set(batch.left);
  both.set(batch.right, batch.left.length);
  const labels = targets(batch);
  const loss = () => totalLoss(c, p, tf.tensor4d(both, [2 * c.pairs, ...c.image]), tf.tensor1d(labels)); // uploaded anew each step
  return {
    async run(times) {
      const losses = [];
      for (let i = 0; i < times; i++) {
        const value = optimizer.minimize(loss, true) as tf.Scalar;
        losses.push((await value.data())[0]);
        value.dispose();
      }
      return losses;
    },
    async results() {
      const { value, grads } = tf.variableGrads(loss);
      const found = new Map([["loss", (await value.data()) as Float32Array]]);
      for (const [name, variable] of Object.entries(p)) {
        found.set(name, (await grads[variable.name].data()) as Float32Array);
      }
      value.dispose();
      tf.dispose(grads);
      return found;
    },
    dispose() {
      optimizer.dispose();
      tf.dispose(p);
    },
  };
}

/** Calls an operation's kernel directly, without the bookkeeping for gradients. */
function compute(c: OperationCase, o: Record<string, tf.Tensor>): tf.Tensor[] {
  const strided = { strides: [1, 1], pad: "same", dataFormat: "NHWC" };
  const kernel = (name: string, inputs: Record<string, tf.Tensor>, attributes: object) =>
    tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
  if (c.kind === "conv2d") {
    if (c.pass === "forward") return [tf.conv2d(o.x as tf.Tensor4D, o.filter as tf.Tensor4D, 1, "same")];
    if (c.pass === "input gradient") {
      const inputShape = [c.batch, c.height, c.width, c.input];
      return [kernel("Conv2DBackpropInput", { dy: o.gradient, filter: o.filter }, { ...strided, inputShape })];
    }
    const filterShape = [3, 3, c.input, c.output];
    return [kernel("Conv2DBackpropFilter", { x: o.x, dy: o.gradient }, { ...strided, filterShape })];
  }
  if (c.kind === "dense") {
    if (c.pass === "forward") return [tf.matMul(o.x, o.kernel)];
    if (c.pass === "input gradient") return [tf.matMul(o.gradient, o.kernel, false, true)];
    return [tf.matMul(o.x, o.gradient, true, false)];
  }
  if (c.kind === "maxPool2d") {
    const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid") as tf.Tensor;
    if (c.pass === "forward") return [pool(o.x)];
    const { value, grad } = tf.valueAndGrad(pool)(o.x, o.gradient);
    return [value, grad];
  }
  const norm = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor => batchNorm(x as tf.Tensor4D, gamma, beta);
  if (c.pass === "forward") return [norm(o.x, o.gamma, o.beta)];
  const { value, grads } = tf.valueAndGrads(norm)([o.x, o.gamma, o.beta], o.gradient);
  return [value, ...grads];
}

async function operation(c: OperationCase, operands: Record<string, Values>): Promise<Subject> {
  await start();
  const o: Record<string, tf.Tensor> = {};
  for (const [name, { shape, data }] of Object.entries(operands)) o[name] = tf.tensor(data, [...shape]);
  const backend = tf.backend() as WebGPUBackend;
  return {
    async run(times) {
      for (let i = 0; i < times; i++) tf.dispose(tf.tidy(() => compute(c, o)));
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue(); // it holds back up to 15 dispatches
      await backend.device.queue.onSubmittedWorkDone();
      return [];
    },
    async results() {
      const outputs = tf.tidy(() => compute(c, o));
      const found = new Map<string, Float32Array>();
      for (const [i, output] of outputs.entries()) found.set(`result ${i}`, (await output.data()) as Float32Array);
      tf.dispose(outputs);
      return found;
    },
    dispose: () => tf.dispose(o),
  };
}

/** Batch-norm's factors are computed once, when the tower is created. */
async function inference(c: Configuration, { weights }: Weights): Promise<Embeds> {
  await start();
  const p: Record<string, tf.Tensor> = {};
  for (const [name, { shape, data }] of weights) p[name] = tf.tensor(data, [...shape]);
  const factors = c.filters.map((_, i) =>
    tf.tidy(() => {
      const at = (name: string) => p[`tower/block${i + 1}/norm/${name}`];
      const scale = tf.mul(at("gamma"), tf.rsqrt(tf.add(at("moving_variance"), batchNormEpsilon)));
      return { scale, shift: tf.sub(at("beta"), tf.mul(at("moving_mean"), scale)) };
    }),
  );
  const tower = (x: tf.Tensor4D) => {
    c.filters.forEach((_, i) => {
      const filter = p[`tower/block${i + 1}/conv/kernel`] as tf.Tensor4D;
      const bias = p[`tower/block${i + 1}/conv/bias`];
      const convolved = tf.fused.conv2d({ x, filter, strides: 1, pad: "same", bias }) as tf.Tensor4D;
      const pooled = tf.maxPool(convolved, 2, 2, "valid");
      x = tf.relu(tf.add(tf.mul(pooled, factors[i].scale), factors[i].shift)) as tf.Tensor4D;
    });
    const flat = tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D;
    const layer = { a: flat, b: p["tower/dense/kernel"] as tf.Tensor2D, bias: p["tower/dense/bias"] };
    return tf.sigmoid(tf.fused.matMul(layer));
  };
  return {
    async embed(pictures, count) {
      const output = tf.tidy(() => tower(tf.tensor4d(pictures, [count, ...c.image])));
      const values = (await output.data()) as Float32Array;
      output.dispose();
      return values;
    },
    dispose: () => tf.dispose([p, factors]),
  };
}

export const tfjs: Engine = { name: "tfjs", network, operation, inference };
