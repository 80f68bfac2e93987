// The parameters of a network by name, without a device: those that a model file must contain.

import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { edgeDirections, histogramWindows } from "../../ops/images/edgeShape.ts";
import type { Layout } from "./layouts.ts";

type Options = Required<NetworkOptions>;

/** The first tower has the same name as an only one. */
export const towerName = (index: number): string => (index === 0 ? "tower" : `tower${index + 1}`);

/** The input channels of each block of a tower, and the output of the last block: rows, columns, channels. */
export function towerShapes({ imageSize, filters, towers }: Options, index: number) {
  const [height, width, channels] = imageSize;
  const kind = towers[index];
  const inputs = [channels, ...filters.slice(0, -1)];
  if (kind === "edges") inputs[1] = edgeDirections + channels;
  const halved = (side: number) => side >> filters.length;
  const flattened =
    kind === "histograms"
      ? [histogramWindows(height >> 1), histogramWindows(width >> 1), edgeDirections]
      : [halved(height), halved(width), filters.length === 1 && kind === "edges" ? edgeDirections + channels : filters[filters.length - 1]]; // biome-ignore format: one list
  return { kind, inputs, flattened };
}

/** @param head whether the network has a head, as those trained with cross-entropy. */
export function parametersOf(options: Options, { head }: { readonly head: boolean }): Map<string, Layout> {
  const { filters, embedding, towers } = options;
  const found = new Map<string, Layout>();
  const add = (name: string, shape: number[], apart = shape) => found.set(name, { shape, apart });
  const norm = (scope: string, count: number) => {
    for (const name of ["gamma", "beta", "moving_mean", "moving_variance"]) add(`${scope}/${name}`, [count]);
  };
  for (const index of towers.keys()) {
    const tower = towerName(index);
    const { kind, inputs, flattened } = towerShapes(options, index);
    const rows = flattened[0] * flattened[1] * flattened[2];
    if (kind === "histograms") norm(`${tower}/norm`, rows);
    else {
      for (const [i, count] of filters.entries()) {
        if (i === 0 && kind === "edges") continue;
        const block = `${tower}/block${i + 1}`;
        add(`${block}/conv/kernel`, [3, 3, inputs[i], count]);
        add(`${block}/conv/bias`, [count]);
        norm(`${block}/norm`, count);
      }
    }
    if (options.patch > 0) continue; // its filters are averaged
    add(`${tower}/dense/kernel`, [rows, embedding], [...flattened, embedding]);
    add(`${tower}/dense/bias`, [embedding]);
  }
  if (head) {
    add("head/kernel", [embedding, 1]);
    add("head/bias", [1]);
  }
  return found;
}
