// w[p] for every place p of a window but the centre, where it is w[centre] - theta sum_p w[p] (Yu et al. 2020).
import { map, type NdArray, type NdArrays } from "../../ndarray.ts";

export interface CentralDifferenceOptions {
  theta: number;
}

const extents = ({ shape: [rows, columns, channels, filters] }: NdArray) => ({
  pairs: channels * filters,
  places: rows * columns,
  centre: (rows >> 1) * columns + (columns >> 1),
});

export function centralDifference({ filter }: NdArrays, { theta }: CentralDifferenceOptions): NdArray {
  const { pairs, places, centre } = extents(filter);
  return map(filter, (value, i) => {
    if (Math.floor(i / pairs) !== centre) return value;
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
  const { pairs, centre } = extents(filter);
  return { filter: map(g, (value, i) => value - theta * g.data[centre * pairs + (i % pairs)]) };
}
