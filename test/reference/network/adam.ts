// Adam (Kingma and Ba 2015, algorithm 1), epsilon outside the root as in Keras and PyTorch; with a weight decay AdamW
// (Loshchilov and Hutter 2019; torch.optim.AdamW), where first w -= rate * decay * w:
// m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*g^2; w -= rate * (m / (1-beta1^t)) / (sqrt(v / (1-beta2^t)) + epsilon)

import type { NdArrays } from "../ndarray.ts";

export interface AdamOptions {
  learningRate?: number | ((step: number) => number);
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
}

/** Updates the parameters in place at each call; the moments live as long as the returned function. */
export function adam({
  learningRate = 1e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0,
}: AdamOptions) {
  const moments = new Map<string, { m: Float64Array; v: Float64Array }>();
  let t = 0;
  return (parameters: NdArrays, gradients: NdArrays) => {
    t++;
    const rate = typeof learningRate === "number" ? learningRate : learningRate(t);
    for (const [name, gradient] of Object.entries(gradients)) {
      const w = parameters[name].data;
      if (!moments.has(name)) moments.set(name, { m: new Float64Array(w.length), v: new Float64Array(w.length) });
      const { m, v } = moments.get(name)!;
      for (let i = 0; i < w.length; i++) {
        const g = gradient.data[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g ** 2;
        w[i] -= rate * weightDecay * w[i];
        w[i] -= (rate * (m[i] / (1 - beta1 ** t))) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + epsilon);
      }
    }
  };
}
