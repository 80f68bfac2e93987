// The names of our parameters in other frameworks: the table in docs/exchange.md.
import type { Framework } from "./layouts.ts";

const pytorchLeaves: Readonly<Record<string, string>> = {
  kernel: "weight",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
};

/** tower/block1/conv/kernel becomes blocks.0.conv.weight. */
function pytorchName(name: string): string {
  const parts = name.replace(/^tower\//, "").split("/");
  const leaf = parts.pop()!;
  const modules = parts.map((part) => part.replace(/^block(\d+)$/, (_, n) => `blocks.${Number(n) - 1}`));
  return [...modules, pytorchLeaves[leaf] ?? leaf].join(".");
}

/** tower/block2/conv/kernel becomes conv2d_1/kernel, as Keras numbers its layers. */
function kerasName(name: string): string {
  const numbered = (layer: string, n: number) => (n === 0 ? layer : `${layer}_${n}`);
  return name
    .replace(/^tower\/block(\d+)\/conv\//, (_, n) => `${numbered("conv2d", n - 1)}/`)
    .replace(/^tower\/block(\d+)\/norm\//, (_, n) => `${numbered("batch_normalization", n - 1)}/`)
    .replace(/^tower\/dense\//, "dense/")
    .replace(/^head\//, "dense_1/");
}

export function nameIn(framework: Framework, name: string): string {
  if (framework === "twingrad") return name;
  return framework === "pytorch" ? pytorchName(name) : kerasName(name);
}
