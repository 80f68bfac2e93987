// The training steps that are measured: the article's network at sizes that a software adapter can still finish, with
// the same weights and batch for every engine.

export interface Configuration {
  readonly name: string;
  /** Pairs in a batch: each branch sees this many images. */
  readonly pairs: number;
  /** Height, width, channels. */
  readonly image: readonly [number, number, number];
  /** Output channels of the four blocks of conv 3x3 -> max-pool 2x2 -> batch-norm -> ReLU. */
  readonly filters: readonly number[];
  readonly embedding: number;
}

export const l2 = 0.1;
export const batchNormEpsilon = 1e-3;
export const adamOptions = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

export const configurations: readonly Configuration[] = [
  { name: "XS", pairs: 4, image: [28, 28, 3], filters: [8, 12, 16, 16], embedding: 64 },
  { name: "S", pairs: 8, image: [28, 28, 1], filters: [32, 32, 64, 64], embedding: 1024 },
  { name: "M", pairs: 4, image: [56, 56, 3], filters: [64, 64, 64, 32], embedding: 1024 },
  { name: "L", pairs: 1, image: [112, 112, 3], filters: [256, 128, 64, 32], embedding: 1024 },
];

/** The article's tower, for inference only: a training step of it takes a software adapter minutes. */
export const article: Configuration = {
  name: "article",
  pairs: 1,
  image: [224, 224, 3],
  filters: [256, 128, 64, 32],
  embedding: 1024,
};

/** The towers of `--suite inference`. */
export const inferenceSizes = ["S", "M", article.name] as const;

export function towerNamed(name: string): Configuration {
  return name === article.name ? article : configurationNamed(name);
}

export function configurationNamed(name: string): Configuration {
  const found = configurations.find((c) => c.name === name);
  if (!found) throw new Error(`Unknown configuration "${name}"; expected one of ${configurations.map((c) => c.name)}.`);
  return found;
}

/** Input of each conv block, and its output channels; pooling halves and drops the odd row and column. */
export function convLayers({ image, filters }: Configuration) {
  let [height, width, input] = image;
  return filters.map((output) => {
    const layer = { height, width, input, output };
    [height, width, input] = [Math.floor(height / 2), Math.floor(width / 2), output];
    return layer;
  });
}

/** Features after the last block. */
export function flattened(c: Configuration): number {
  const last = convLayers(c)[c.filters.length - 1];
  return Math.floor(last.height / 2) * Math.floor(last.width / 2) * last.output;
}

/**
 * Operations of one training step: a multiply-add counts as two, the backward pass as twice the forward pass; only
 * convolutions and the dense layer count, over both branches.
 */
export function operationsOfStep(c: Configuration): number {
  const convolutions = convLayers(c).reduce((sum, l) => sum + l.height * l.width * 9 * l.input * l.output, 0);
  return 3 * 2 * 2 * c.pairs * (convolutions + flattened(c) * c.embedding);
}

export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export interface Batch {
  /** [pairs, height, width, channels], pixels in [0, 1]. */
  readonly left: Float32Array<ArrayBuffer>;
  readonly right: Float32Array<ArrayBuffer>;
  /** Equal labels: the same identity. */
  readonly leftLabels: Int32Array<ArrayBuffer>;
  readonly rightLabels: Int32Array<ArrayBuffer>;
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function uniform(random: () => number, shape: readonly number[], low: number, high: number): Values {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: size }, () => low + (high - low) * random()) };
}

/**
 * Trainable parameters under the names of the trainer: Glorot-uniform kernels (HWIO; dense [inputs, outputs]), and
 * biases, gammas and betas away from 0 and 1, so that incorrect gradients there are detected.
 */
export function parametersOf(c: Configuration, seed = 1): Map<string, Values> {
  const random = generator(seed);
  const parameters = new Map<string, Values>();
  const add = (name: string, shape: readonly number[], low: number, high: number) =>
    parameters.set(name, uniform(random, shape, low, high));
  const kernel = (name: string, shape: readonly number[]) => {
    const receptive = shape.slice(0, -2).reduce((a, b) => a * b, 1);
    const [fanIn, fanOut] = shape.slice(-2);
    const limit = Math.sqrt(6 / (receptive * (fanIn + fanOut)));
    add(name, shape, -limit, limit);
  };
  convLayers(c).forEach(({ input, output }, i) => {
    const block = `tower/block${i + 1}`;
    kernel(`${block}/conv/kernel`, [3, 3, input, output]);
    add(`${block}/conv/bias`, [output], -0.1, 0.1);
    add(`${block}/norm/gamma`, [output], 0.8, 1.2);
    add(`${block}/norm/beta`, [output], -0.2, 0.2);
  });
  kernel("tower/dense/kernel", [flattened(c), c.embedding]);
  add("tower/dense/bias", [c.embedding], -0.1, 0.1);
  kernel("head/kernel", [c.embedding, 1]);
  add("head/bias", [1], -0.1, 0.1);
  return parameters;
}

/** The moving averages of each block, with values like those after a training. */
export function averagesOf({ filters }: Configuration, seed = 3): Map<string, Values> {
  const random = generator(seed);
  return new Map(
    filters.flatMap((count, i) => [
      [`tower/block${i + 1}/norm/moving_mean`, uniform(random, [count], -0.2, 0.2)],
      [`tower/block${i + 1}/norm/moving_variance`, uniform(random, [count], 0.5, 1.5)],
    ]),
  );
}

/** Random pixels at 8-bit levels; every other pair is genuine. */
export function batchOf({ pairs, image }: Configuration, seed = 2): Batch {
  const random = generator(seed);
  const size = pairs * image[0] * image[1] * image[2];
  const pixels = () => Float32Array.from({ length: size }, () => Math.floor(random() * 256) / 255);
  return {
    left: pixels(),
    right: pixels(),
    leftLabels: Int32Array.from({ length: pairs }, (_, i) => i),
    rightLabels: Int32Array.from({ length: pairs }, (_, i) => (i % 2 === 0 ? i : pairs + i)),
  };
}

/** 1 for a genuine pair, else 0. */
export function targets({ leftLabels, rightLabels }: Batch): Float32Array<ArrayBuffer> {
  return Float32Array.from(leftLabels, (label, i) => (label === rightLabels[i] ? 1 : 0));
}
