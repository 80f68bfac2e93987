// torch.optim.SGD without dampening: v = momentum*v + g, v = g at first; w -= rate * v, with nesterov rate * (g + momentum*v)

import type { NdArrays } from "../ndarray.ts";

export interface SgdOptions {
  learningRate?: number | ((step: number) => number);
  momentum?: number;
  nesterov?: boolean;
}

/** Updates the parameters in place at each call; velocities live as long as the returned function. */
export function sgd({ learningRate = 1e-3, momentum = 0, nesterov = false }: SgdOptions) {
  const velocities = new Map<string, Float64Array>();
  let t = 0;
  return (parameters: NdArrays, gradients: NdArrays) => {
    t++;
    const rate = typeof learningRate === "number" ? learningRate : learningRate(t);
    for (const [name, { data: g }] of Object.entries(gradients)) {
      const w = parameters[name].data;
      if (!velocities.has(name)) velocities.set(name, new Float64Array(w.length));
      const v = velocities.get(name)!;
      for (let i = 0; i < w.length; i++) {
        v[i] = momentum * v[i] + g[i];
        w[i] -= rate * (nesterov ? g[i] + momentum * v[i] : v[i]);
      }
    }
  };
}
