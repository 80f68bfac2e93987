// w[p] at every position p of a window except the center, where it is w[center] - theta sum_p w[p] (Yu et al. 2020).
import { map, type NdArray, type NdArrays } from "../../ndarray.ts";

export interface CentralDifferenceOptions {
  theta: number;
}

const extents = ({ shape: [rows, columns, channels, filters] }: NdArray) => ({
  pairs: channels * filters,
  places: rows * columns,
  center: (rows >> 1) * columns + (columns >> 1),
});

export function centralDifference({ filter }: NdArrays, { theta }: CentralDifferenceOptions): NdArray {
  const { pairs, places, center } = extents(filter);
  return map(filter, (value, i) => {
    if (Math.floor(i / pairs) !== center) return value;
    let total = 0;
    for (let place = 0; place < places; place++) total += filter.data[place * pairs + (i % pairs)];
    return value - theta * total;
  });
}

export function centralDifferenceGradients(
  { filter }: NdArrays,
  { theta }: CentralDifferenceOptions,
  g: NdArray,
): NdArrays {
  const { pairs, center } = extents(filter);
  return { filter: map(g, (value, i) => value - theta * g.data[center * pairs + (i % pairs)]) };
}
