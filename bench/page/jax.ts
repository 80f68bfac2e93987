// jax-js on WebGPU, in the form that is fastest for it: the whole step under one jit, both branches in one batch, in
// the NCHW and OIHW layouts of its convolution. jax-js requires a reference (`.ref`) for every use of an array but the
// last.
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad, vjp } from "@jax-js/jax";
import {
  adamOptions,
  type Batch,
  batchNormEpsilon,
  type Configuration,
  convLayers,
  l2,
  targets,
  type Values,
} from "../configurations.ts";
import type { OperationCase } from "../operations.ts";
import type { Embeds, Engine, Subject, Weights } from "./engine.ts";

type Arrays = Record<string, np.Array>;

async function start(): Promise<void> {
  if (!(await init("webgpu")).includes("webgpu")) throw new Error("jax-js could not start its WebGPU backend.");
  defaultDevice("webgpu");
}

/** Permutes the axes of data of `shape`, as numpy.transpose. */
function transpose(data: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(data.length);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const target = axes.map((a) => shape[a]);
  const index = target.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    result[i] = data[index.reduce((sum, v, d) => sum + v * strides[axes[d]], 0)];
    for (let d = target.length - 1; d >= 0 && ++index[d] === target[d]; d--) index[d] = 0;
  }
  return result;
}

/** Converts a tensor from twingrad's layout to jax-js's, and back. */
interface Layout {
  readonly shape: number[];
  to(data: Float32Array): Float32Array<ArrayBuffer>;
  from(data: Float32Array): Float32Array;
}

function permuted(shape: readonly number[], axes: readonly number[], flatTo?: number[]): Layout {
  const there = axes.map((a) => shape[a]);
  const back = axes.map((_, i) => axes.indexOf(i));
  return {
    shape: flatTo ?? there,
    to: (data) => transpose(data, shape, axes),
    from: (data) => transpose(data, there, back),
  };
}

const same = (shape: readonly number[]): Layout => ({
  shape: [...shape],
  to: (d) => new Float32Array(d),
  from: (d) => d,
});
const images = (shape: readonly number[]) => permuted(shape, [0, 3, 1, 2]); // NHWC -> NCHW
const filters = (shape: readonly number[]) => permuted(shape, [3, 2, 0, 1]); // HWIO -> OIHW

/** The first dense kernel's rows follow the flattened activations, which are in CHW order here. */
function layoutOf(c: Configuration, name: string, shape: readonly number[]): Layout {
  if (name.endsWith("conv/kernel")) return filters(shape);
  if (name !== "tower/dense/kernel") return same(shape);
  const last = convLayers(c)[c.filters.length - 1];
  const [height, width] = [Math.floor(last.height / 2), Math.floor(last.width / 2)];
  return permuted([height, width, last.output, c.embedding], [2, 0, 1, 3], [...shape]);
}

const upload = (layout: Layout, data: Float32Array) => np.array(layout.to(data)).reshape(layout.shape);

/** x [2B, C, H, W]; statistics of each half of the batch. */
function batchNorm(x: np.Array, gamma: np.Array, beta: np.Array): np.Array {
  const [batch, channels, height, width] = x.shape;
  const halves = x.reshape([2, batch / 2, channels, height * width]);
  const mean = np.mean(halves.ref, [1, 3], { keepdims: true });
  const centered = halves.sub(mean);
  const variance = np.mean(np.square(centered.ref), [1, 3], { keepdims: true });
  const factor = np.sqrt(variance.add(batchNormEpsilon));
  const each = (v: np.Array) => v.reshape([1, 1, channels, 1]);
  return centered.div(factor).mul(each(gamma)).add(each(beta)).reshape([batch, channels, height, width]);
}

const maxPool = (x: np.Array) => lax.reduceWindow(x, np.max as (x: np.Array) => np.Array, [2, 2], [2, 2]);
const convolve = (x: np.Array, filter: np.Array) => lax.convGeneralDilated(x, filter, [1, 1], "SAME");

function totalLoss(c: Configuration, p: Arrays, x: np.Array, labels: np.Array): np.Array {
  let penalty: np.Array | undefined;
  c.filters.forEach((output, i) => {
    const at = (name: string) => p[`tower/block${i + 1}/${name}`];
    const squares = np.sum(np.square(at("conv/kernel").ref));
    penalty = penalty ? penalty.add(squares) : squares;
    const convolved = convolve(x, at("conv/kernel")).add(at("conv/bias").reshape([1, output, 1, 1]));
    x = nn.relu(batchNorm(maxPool(convolved), at("norm/gamma"), at("norm/beta")));
  });
  const flat = x.reshape([2 * c.pairs, -1]);
  const embedding = nn.sigmoid(np.matmul(flat, p["tower/dense/kernel"]).add(p["tower/dense/bias"]));
  const distance = np.absolute(embedding.ref.slice([0, c.pairs]).sub(embedding.slice([c.pairs, 2 * c.pairs])));
  const z = np.matmul(distance, p["head/kernel"]).add(p["head/bias"]).reshape([c.pairs]);
  const softplus = np.log1p(np.exp(np.absolute(z.ref).mul(-1)));
  const crossEntropy = np.mean(nn.relu(z.ref).sub(z.mul(labels)).add(softplus));
  return crossEntropy.add(penalty!.mul(l2 / 2));
}

async function network(c: Configuration, parameters: Map<string, Values>, batch: Batch): Promise<Subject> {
  await start();
  const layouts = new Map([...parameters].map(([name, { shape }]) => [name, layoutOf(c, name, shape)]));
  const names = [...parameters.keys()];
  const each = (make: (name: string) => np.Array): Arrays =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  let values = each((name) => upload(layouts.get(name)!, parameters.get(name)!.data));
  let first = each((name) => np.zeros(layouts.get(name)!.shape));
  let second = each((name) => np.zeros(layouts.get(name)!.shape));
  let steps = 0;

  const { learningRate, beta1, beta2, epsilon } = adamOptions;
  const withGradients = valueAndGrad((p: Arrays, x: np.Array, labels: np.Array) => totalLoss(c, p, x, labels));
  const gradients = jit((p: Arrays, x: np.Array, labels: np.Array) => withGradients(p, x, labels));
  const step = jit((p: Arrays, m: Arrays, v: Arrays, corrections: np.Array, x: np.Array, labels: np.Array) => {
    const [loss, g] = withGradients(Object.fromEntries(names.map((n) => [n, p[n].ref])), x, labels);
    const next: { p: Arrays; m: Arrays; v: Arrays } = { p: {}, m: {}, v: {} };
    for (const n of names) {
      next.m[n] = m[n].mul(beta1).add(g[n].ref.mul(1 - beta1));
      next.v[n] = v[n].mul(beta2).add(np.square(g[n]).mul(1 - beta2));
      const mean = next.m[n].ref.mul(corrections.ref.slice(0));
      const deviation = np.sqrt(next.v[n].ref.mul(corrections.ref.slice(1))).add(epsilon);
      next.p[n] = p[n].sub(mean.div(deviation).mul(learningRate));
    }
    corrections.dispose();
    return { loss, ...next };
  });

  const layout = images([2 * c.pairs, ...c.image]);
  const both = new Float32Array(batch.left.length * 2);
  both.set(batch.left);
  both.set(batch.right, batch.left.length);
  const pixels = layout.to(both);
  const labels = targets(batch);
  const inputs = () => [np.array(pixels).reshape(layout.shape), np.array(labels)] as const; // uploaded anew each step
  return {
    async run(times) {
      const losses = [];
      for (let i = 0; i < times; i++) {
        steps++;
        const corrections = np.array(new Float32Array([1 / (1 - beta1 ** steps), 1 / (1 - beta2 ** steps)]));
        const { loss, p, m, v } = step(values, first, second, corrections, ...inputs()) as {
          loss: np.Array;
          p: Arrays;
          m: Arrays;
          v: Arrays;
        };
        [values, first, second] = [p, m, v];
        losses.push((await loss.data())[0]);
      }
      return losses;
    },
    async results() {
      const [loss, g] = gradients(
        each((n) => values[n].ref),
        ...inputs(),
      ) as [np.Array, Arrays];
      const found = new Map([["loss", (await loss.data()) as Float32Array]]);
      for (const n of names) found.set(n, layouts.get(n)!.from((await g[n].data()) as Float32Array));
      return found;
    },
    dispose() {
      for (const tree of [values, first, second]) for (const n of names) tree[n].dispose();
      step.dispose();
      gradients.dispose();
    },
  };
}

/** The computation of a case on its operands, all in jax-js's layouts. */
function computation(c: OperationCase): (o: Arrays) => np.Array[] {
  const gradientsOf = (
    f: (...inputs: np.Array[]) => np.Array,
    inputs: np.Array[],
    gradient: np.Array,
    withValue: boolean,
  ) => {
    const [value, back] = vjp(f, inputs);
    const found = back(gradient) as np.Array[];
    back.dispose();
    if (withValue) return [value, ...found];
    value.dispose();
    return found;
  };
  if (c.kind === "conv2d") {
    const x = () => np.zeros([c.batch, c.input, c.height, c.width]);
    const filter = () => np.zeros([c.output, c.input, 3, 3]);
    if (c.pass === "forward") return (o) => [convolve(o.x, o.filter)];
    // The gradient with respect to one operand does not depend on that operand.
    if (c.pass === "input gradient") {
      return (o) => gradientsOf((v) => convolve(v, o.filter.ref), [x()], o.gradient, false);
    }
    return (o) => gradientsOf((v) => convolve(o.x.ref, v), [filter()], o.gradient, false);
  }
  if (c.kind === "dense") {
    if (c.pass === "forward") return (o) => [np.matmul(o.x, o.kernel)];
    if (c.pass === "input gradient") return (o) => [np.matmul(o.gradient, np.matrixTranspose(o.kernel))];
    return (o) => [np.matmul(np.matrixTranspose(o.x), o.gradient)];
  }
  if (c.kind === "maxPool2d") {
    return (o) => (c.pass === "forward" ? [maxPool(o.x)] : gradientsOf(maxPool, [o.x], o.gradient, true));
  }
  if (c.pass === "forward") return (o) => [batchNorm(o.x, o.gamma, o.beta)];
  return (o) => gradientsOf(batchNorm, [o.x, o.gamma, o.beta], o.gradient, true);
}

function operandLayout(name: string, shape: readonly number[]): Layout {
  if (name === "filter") return filters(shape);
  return shape.length === 4 ? images(shape) : same(shape);
}

async function operation(c: OperationCase, operands: Record<string, Values>): Promise<Subject> {
  await start();
  const o: Arrays = {};
  for (const [name, { shape, data }] of Object.entries(operands)) o[name] = upload(operandLayout(name, shape), data);
  const compute = jit(computation(c));
  const call = () => compute(Object.fromEntries(Object.entries(o).map(([n, a]) => [n, a.ref]))) as np.Array[];
  return {
    async run(times) {
      const all: np.Array[] = [];
      for (let i = 0; i < times; i++) all.push(...call());
      await blockUntilReady(all); // it submits nothing until awaited
      for (const array of all) array.dispose();
      return [];
    },
    async results() {
      const found = new Map<string, Float32Array>();
      for (const [i, output] of call().entries()) {
        const { shape } = output;
        const back =
          shape.length !== 4
            ? same(shape)
            : c.kind === "conv2d" && c.pass === "filter gradient"
              ? permuted([shape[2], shape[3], shape[1], shape[0]], [3, 2, 0, 1])
              : permuted([shape[0], shape[2], shape[3], shape[1]], [0, 3, 1, 2]);
        found.set(`result ${i}`, back.from((await output.data()) as Float32Array));
      }
      return found;
    },
    dispose() {
      for (const array of Object.values(o)) array.dispose();
      compute.dispose();
    },
  };
}

/** Batch-norm by moving averages as one multiply-add; the jit computes its factors, since they depend on arguments. */
async function inference(c: Configuration, { weights }: Weights): Promise<Embeds> {
  await start();
  const p: Arrays = {};
  for (const [name, { shape, data }] of weights) p[name] = upload(layoutOf(c, name, shape), data);
  const names = [...weights.keys()].filter((name) => !name.startsWith("head/"));
  const tower = jit((w: Arrays, x: np.Array) => {
    c.filters.forEach((output, i) => {
      const at = (name: string) => w[`tower/block${i + 1}/${name}`];
      const each = (v: np.Array) => v.reshape([1, output, 1, 1]);
      const pooled = maxPool(convolve(x, at("conv/kernel")).add(each(at("conv/bias"))));
      const factor = at("norm/gamma").div(np.sqrt(at("norm/moving_variance").add(batchNormEpsilon)));
      const shift = at("norm/beta").sub(at("norm/moving_mean").mul(factor.ref));
      x = nn.relu(pooled.mul(each(factor)).add(each(shift)));
    });
    const flat = x.reshape([x.shape[0], -1]);
    return nn.sigmoid(np.matmul(flat, w["tower/dense/kernel"]).add(w["tower/dense/bias"]));
  });
  return {
    async embed(pictures, count) {
      const layout = images([count, ...c.image]);
      const x = np.array(layout.to(pictures)).reshape(layout.shape);
      const given = Object.fromEntries(names.map((name) => [name, p[name].ref]));
      return (await (tower(given, x) as np.Array).data()) as Float32Array;
    },
    dispose() {
      for (const array of Object.values(p)) array.dispose();
      tower.dispose();
    },
  };
}

export const jax: Engine = { name: "jax-js", network, operation, inference };
