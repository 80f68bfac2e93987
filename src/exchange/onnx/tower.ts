// A tower in ONNX: [N, C, H, W] pictures to [N, embedding].
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { permuted, toPytorch } from "../weights/layouts.ts";
import { parametersOf, towerName, towerShapes } from "../weights/parameters.ts";
import type { Value } from "./graph.ts";
import type { Operators } from "./operators.ts";
import { edgeHistograms, edges, gray, orientedGradients } from "./pictures.ts";

/** A parameter's values, by its name in twingrad. */
export type Weights = (name: string) => Float32Array;

export function towerOf(
  to: Operators,
  images: Value,
  network: Required<NetworkOptions>,
  index: number,
  weights: Weights,
): Value {
  const { graph } = to;
  const { filters, embedding, embeddingActivation, batchNormEpsilon, patch, differences } = network;
  const tower = towerName(index);
  const { kind, flattened } = towerShapes(network, index);
  const layouts = parametersOf(network, { head: false });
  // Filters and the last layer's rows in ONNX's order, which is PyTorch's.
  const laidOut = (name: string) => {
    const values = weights(name);
    const own = differences > 0 && name.endsWith("/conv/kernel") ? centralDifferences(values, differences) : values;
    return toPytorch(own, layouts.get(name)!);
  };

  /** gamma (x - mean) / sqrt(variance + epsilon) + beta, as x * scale + shift. */
  const normalized = (x: Value, scope: string, shape: readonly number[], order = (values: Float32Array) => values) => {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map((leaf) => order(weights(`${scope}/${leaf}`))); // biome-ignore format: one list
    const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt(variance[c] + batchNormEpsilon));
    const shift = Float64Array.from(beta, (value, c) => value - mean[c] * scale[c]);
    const scaled = to.binary("Mul", x, graph.constant(`${scope}/scale`, shape, scale));
    return to.binary("Add", scaled, graph.constant(`${scope}/shift`, shape, shift), scope);
  };

  let x = images;
  if (kind === "histograms") {
    const histograms = to.flatten(edgeHistograms(to, edges(to, gray(to, images))));
    const [rows, columns, directions] = flattened;
    const order = (values: Float32Array) => permuted(values, [rows, columns, directions], [2, 0, 1]);
    x = normalized(histograms, `${tower}/norm`, [1, rows * columns * directions], order);
  } else {
    if (kind === "edges") x = orientedGradients(to, images);
    for (const [i, count] of filters.entries()) {
      if (i === 0 && kind === "edges") continue;
      const block = `${tower}/block${i + 1}`;
      const kernel = graph.constant(`${block}/conv/kernel`, [count, x.shape[1] as number, 3, 3], laidOut(`${block}/conv/kernel`)); // biome-ignore format: one value
      const bias = graph.constant(`${block}/conv/bias`, [count], weights(`${block}/conv/bias`));
      x = to.maxPool(to.conv(x, kernel, bias, 1));
      x = to.unary("Relu", normalized(x, `${block}/norm`, [1, count, 1, 1]), block);
    }
    if (patch > 0) {
      const [, , rows, columns] = x.shape as readonly [string, number, number, number];
      return to.binary("Mul", to.sum(x, [2, 3], { keep: false }), 1 / (rows * columns), tower);
    }
    x = to.flatten(x);
  }
  // Transposes [embedding, inputs]: a product's second factor is [inputs, embedding].
  const inputs = x.shape[1] as number;
  const rows = permuted(laidOut(`${tower}/dense/kernel`), [embedding, inputs], [1, 0]);
  const kernel = graph.constant(`${tower}/dense/kernel`, [inputs, embedding], rows);
  const bias = graph.constant(`${tower}/dense/bias`, [embedding], weights(`${tower}/dense/bias`));
  x = to.gemm(x, kernel, bias);
  if (embeddingActivation === "linear") return x;
  return to.unary(embeddingActivation === "sigmoid" ? "Sigmoid" : "Relu", x, tower);
}

/** src/ops/spatial/centralDifference.ts of filters [3, 3, I, O]: they are constant, so the graph has the result. */
function centralDifferences(filter: Float32Array, theta: number): Float32Array {
  const [places, center] = [9, 4];
  const pairs = filter.length / places;
  return filter.map((value, at) => {
    if (Math.floor(at / pairs) !== center) return value;
    let sum = 0;
    for (let place = 0; place < places; place++) sum += filter[place * pairs + (at % pairs)];
    return value - theta * sum;
  });
}
