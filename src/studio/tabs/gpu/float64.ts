// The Siamese network's loss in float64 on the host, written as in the formulas: the reference for the GPU's results.
// Each block: conv 3x3 SAME -> max-pool 2x2 -> batch-norm with the statistics of each branch -> ReLU; then dense,
// sigmoid, |left - right|, dense 1, mean cross-entropy, and the L2 penalty of the convolution kernels.

type Values = ArrayLike<number>;

export interface HostBatch {
  /** All left pictures, then all right ones: [2 x pairs, height, width, channels]. */
  readonly pictures: Values;
  /** For each pair 1 where both show the same identity, otherwise 0. */
  readonly same: Values;
  readonly imageSize: readonly [number, number, number];
}

interface Maps {
  readonly data: Float64Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

const epsilon = 1e-3;

export function hostLoss(parameters: ReadonlyMap<string, Values>, batch: HostBatch, l2: number): number {
  const of = (name: string) => parameters.get(name)!;
  const pairs = batch.same.length;
  const [height, width, channels] = batch.imageSize;
  let x: Maps = { data: Float64Array.from(batch.pictures), count: 2 * pairs, height, width, channels };
  let penalty = 0;
  for (let n = 1; parameters.has(`tower/block${n}/conv/kernel`); n++) {
    const block = `tower/block${n}`;
    const kernel = of(`${block}/conv/kernel`);
    for (let i = 0; i < kernel.length; i++) penalty += (l2 / 2) * kernel[i] ** 2;
    x = maxPool(convolution(x, kernel, of(`${block}/conv/bias`)));
    normalize(x, of(`${block}/norm/gamma`), of(`${block}/norm/beta`));
  }
  const embeddings = dense(x.data, 2 * pairs, of("tower/dense/kernel"), of("tower/dense/bias"));
  const length = embeddings.length / (2 * pairs);
  const [head, [bias]] = [of("head/kernel"), Array.from(of("head/bias"))];
  let entropy = 0;
  for (let pair = 0; pair < pairs; pair++) {
    let logit = bias;
    for (let i = 0; i < length; i++) {
      const [left, right] = [embeddings[pair * length + i], embeddings[(pairs + pair) * length + i]];
      logit += head[i] * Math.abs(sigmoid(left) - sigmoid(right));
    }
    entropy += Math.max(logit, 0) - logit * batch.same[pair] + Math.log1p(Math.exp(-Math.abs(logit)));
  }
  return entropy / pairs + penalty;
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** The kernel is [3, 3, inputs, outputs]; zero padding. */
function convolution({ data, count, height, width, channels }: Maps, kernel: Values, bias: Values): Maps {
  const outputs = bias.length;
  const result = new Float64Array(count * height * width * outputs);
  for (let n = 0, to = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, to += outputs) {
        for (let o = 0; o < outputs; o++) result[to + o] = bias[o];
        for (let ky = 0; ky < 3; ky++) {
          const row = y + ky - 1;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < 3; kx++) {
            const column = x + kx - 1;
            if (column < 0 || column >= width) continue;
            const from = ((n * height + row) * width + column) * channels;
            for (let c = 0; c < channels; c++) {
              const value = data[from + c];
              const weights = ((ky * 3 + kx) * channels + c) * outputs;
              for (let o = 0; o < outputs; o++) result[to + o] += value * kernel[weights + o];
            }
          }
        }
      }
    }
  }
  return { data: result, count, height, width, channels: outputs };
}

/** 2 x 2; an odd last row or column is dropped. */
function maxPool({ data, count, height, width, channels }: Maps): Maps {
  const [h, w] = [height >> 1, width >> 1];
  const result = new Float64Array(count * h * w * channels);
  for (let n = 0, to = 0; n < count; n++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const from = ((n * height + 2 * y) * width + 2 * x) * channels;
        for (let c = 0; c < channels; c++, to++) {
          const [a, b] = [data[from + c], data[from + channels + c]];
          const [d, e] = [data[from + width * channels + c], data[from + (width + 1) * channels + c]];
          result[to] = Math.max(a, b, d, e);
        }
      }
    }
  }
  return { data: result, count, height: h, width: w, channels };
}

/** Batch-norm, with the statistics of each half of the batch, and ReLU, in place. */
function normalize({ data, channels }: Maps, gamma: Values, beta: Values): void {
  const half = data.length / 2;
  for (const start of [0, half]) {
    for (let c = 0; c < channels; c++) {
      let [sum, squares] = [0, 0];
      for (let i = start + c; i < start + half; i += channels) sum += data[i];
      const mean = sum / (half / channels);
      for (let i = start + c; i < start + half; i += channels) squares += (data[i] - mean) ** 2;
      const factor = gamma[c] / Math.sqrt(squares / (half / channels) + epsilon);
      for (let i = start + c; i < start + half; i += channels) {
        data[i] = Math.max(0, (data[i] - mean) * factor + beta[c]);
      }
    }
  }
}

/** The kernel is [inputs, outputs]. */
function dense(x: Float64Array, rows: number, kernel: Values, bias: Values): Float64Array {
  const [inputs, outputs] = [x.length / rows, bias.length];
  const result = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) result[row * outputs + o] = bias[o];
    for (let i = 0; i < inputs; i++) {
      const value = x[row * inputs + i];
      for (let o = 0; o < outputs; o++) result[row * outputs + o] += value * kernel[i * outputs + o];
    }
  }
  return result;
}

/** The directional derivative of the loss, by central differences. */
export function directionalDerivative(
  parameters: ReadonlyMap<string, Values>,
  batch: HostBatch,
  l2: number,
  direction: ReadonlyMap<string, Values>,
  step = 1e-5,
): number {
  const moved = (by: number) =>
    new Map(
      [...parameters].map(([name, values]) => {
        const along = direction.get(name);
        return [name, along ? Float64Array.from(values, (value, i) => value + by * along[i]) : values];
      }),
    );
  return (hostLoss(moved(step), batch, l2) - hostLoss(moved(-step), batch, l2)) / (2 * step);
}
