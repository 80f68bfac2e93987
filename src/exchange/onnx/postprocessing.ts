// Postprocessing of embeddings after the towers, in ONNX.
import type { Centering } from "../../model/centering.ts";
import { nearestShare } from "../../model/centering.ts";
import type { Whitening } from "../../model/whitening.ts";
import type { Value } from "./graph.ts";
import type { Operators } from "./operators.ts";

/** Less than the square of any nonzero embedding: a row of zeros stays zero. */
export const least = 1e-30;

/** The mean over views of rows [V N, D], ordered by view, then by picture: [N, D]. */
export function meanOfViews(to: Operators, rows: Value, views: number, unit: boolean): Value {
  const apart = to.reshape(rows, [views, "batch", rows.shape[1]]);
  const mean = to.binary("Mul", to.sum(apart, [0], { keep: false }), 1 / views, "mean of views");
  return unit ? to.unitLength(mean, least) : mean;
}

/** src/model/whitening.ts: L^-1 (x - mean) of each tower's part, normalized. */
export function whitened(to: Operators, x: Value, { towers, length, mean, kernel }: Whitening): Value {
  const { graph } = to;
  const parts = Array.from({ length: towers }, (_, tower) => {
    const part = towers === 1 ? x : to.slice(x, 1, tower * length, (tower + 1) * length);
    const own = Float32Array.from({ length }, (_, i) => mean[tower * length + i]);
    const centered = to.binary("Sub", part, graph.constant("whitening/mean", [1, length], own));
    const first = tower * length * length;
    const transposed = Float32Array.from({ length: length * length }, (_, i) => kernel[first + (i % length) * length + Math.floor(i / length)]); // biome-ignore format: one list
    return to.unitLength(to.matmul(centered, graph.constant("whitening/kernel", [length, length], transposed)), least);
  });
  const whole = to.concat(parts, 1);
  return towers === 1 ? whole : to.binary("Mul", whole, 1 / Math.sqrt(towers), "whitened");
}

/** src/model/centering.ts: subtracts a share of the mean of the most similar rows of a cohort. */
export function centered(to: Operators, x: Value, { share, cohort, length }: Centering): Value {
  const { graph } = to;
  const members = cohort.length / length;
  const count = Math.ceil(nearestShare * members);
  const rows = graph.constant("centring/cohort", [members, length], cohort);
  const transposed = Float32Array.from({ length: cohort.length }, (_, i) => cohort[(i % members) * length + Math.floor(i / members)]); // biome-ignore format: one list
  const likeness = to.matmul(x, graph.constant("centring/transposed", [length, members], transposed));
  const near = to.sum(to.gather(rows, to.largest(likeness, count)), [1], { keep: false });
  return to.unitLength(to.binary("Sub", x, to.binary("Mul", near, share / count)), least);
}
