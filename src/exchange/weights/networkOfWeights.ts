// The options of a network that follow from the shapes of its tensors.

import { TwingradError } from "../../errors.ts";
import type { Safetensors } from "../../formats/safetensors.ts";
import { networkOf } from "../../nn/livenessNetwork.ts";
import type { NetworkTask } from "../../nn/network.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import type { GivenNetwork } from "./importOptions.ts";
import type { Framework } from "./layouts.ts";
import { WeightsError } from "./weightsError.ts";

/** The network's options: those given, completed from the tensors' shapes. */
export function networkOfWeights(
  file: Safetensors,
  names: ReadonlyMap<string, string>,
  { from, task, network }: { readonly from: Framework; readonly task: NetworkTask; readonly network: GivenNetwork },
): Required<NetworkOptions> {
  const shapeOf = (name: string) => file.tensors.get(names.get(name) ?? "")?.shape;
  const isPytorch = from === "pytorch";
  /** [inputs, outputs] of a layer's kernel, in either layout. */
  const ends = (name: string) => {
    const shape = shapeOf(name);
    if (!shape || shape.length < 2) return undefined;
    return isPytorch ? [shape[1], shape[0]] : [shape[shape.length - 2], shape[shape.length - 1]];
  };
  const towers = network.towers ?? towersOf(names);
  const numbers = [...names.keys()].map((name) => Number(/^tower\d*\/block(\d+)\//.exec(name)?.[1] ?? 0));
  const blocks = Math.max(0, ...numbers);
  const filtersAt = (n: number) => {
    const block = (leaf: string) => towers.map((_, i) => `tower${i === 0 ? "" : i + 1}/block${n}/${leaf}`);
    return mostFrequent([
      ...block("conv/kernel").map((name) => ends(name)?.[1]),
      ...["norm/gamma", "norm/beta", "conv/bias"].flatMap((leaf) => block(leaf).map((name) => shapeOf(name)?.[0])),
      ends(`tower/block${n + 1}/conv/kernel`)?.[0],
    ]);
  };
  /** A kernel with these outputs may be transposed: its other end has the inputs. */
  const inputsOf = (name: string, outputs: number) => {
    const [first, last] = ends(name) ?? [];
    return first === outputs && last !== outputs ? last : first;
  };
  const filters = network.filters ?? Array.from({ length: blocks }, (_, i) => filtersAt(i + 1) ?? 1);
  const embedding =
    network.embedding ??
    mostFrequent([ends("tower/dense/kernel")?.[1], shapeOf("tower/dense/bias")?.[0], ends("head/kernel")?.[0]]);
  if (filters.length === 0 || embedding === undefined) {
    const missing = [...(filters.length === 0 ? ["tower/block1/conv/kernel"] : []), ...(embedding ? [] : ["tower/dense/kernel"])]; // biome-ignore format: one list
    throw new WeightsError(
      { missing, unused: [...file.tensors.keys()].sort(), wrong: [], invalid: [] },
      "They were not found by rule; use a map.",
      from,
    );
  }
  const channels = inputsOf("tower/block1/conv/kernel", filters[0]) ?? 3;
  const [height, width] = network.imageSize ?? squareOf(inputsOf("tower/dense/kernel", embedding), filters);
  const imageSize = [height, width, network.imageSize?.[2] ?? channels] as const;
  const options = { ...network, towers, imageSize, filters, embedding };
  return networkOf(task, options).options;
}

/** A single misshapen tensor is outvoted by its neighbors; the first wins a tie. */
function mostFrequent(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  const votes = (count: number) => known.filter((other) => other === count).length;
  return known.reduce<number | undefined>(
    (best, count) => (best === undefined || votes(count) > votes(best) ? count : best),
    undefined,
  );
}

/** The kinds of towers by parameter names: one tower of pixels, unless twingrad's own names say otherwise. */
function towersOf(names: ReadonlyMap<string, string>): NonNullable<NetworkOptions["towers"]> {
  const has = (start: string) => [...names.keys()].some((name) => name.startsWith(start));
  const kinds: ("pixels" | "edges" | "histograms")[] = [];
  for (let i = 0; i === 0 || has(`tower${i + 1}/`); i++) {
    const tower = i === 0 ? "tower" : `tower${i + 1}`;
    if (has(`${tower}/norm/`)) kinds.push("histograms");
    else kinds.push(has(`${tower}/block1/`) || !has(`${tower}/block2/`) ? "pixels" : "edges");
  }
  return kinds;
}

/** The side of a square picture that gives as many values after the last block as the dense layer has inputs. */
function squareOf(inputs: number | undefined, filters: readonly number[]): readonly number[] {
  const side = Math.sqrt((inputs ?? 0) / filters[filters.length - 1]);
  if (Number.isInteger(side) && side > 0) {
    const pixels = side << filters.length;
    return [pixels, pixels];
  }
  throw new TwingradError(
    "BAD_INPUT",
    `import: the dense layer takes ${inputs ?? "an unknown number of"} values, which is not a square of ${filters[filters.length - 1]} filters; set the imageSize.`,
  );
}
