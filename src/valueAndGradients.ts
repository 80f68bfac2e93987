// Runs any composition of operations once: for first experiments, and for kernel tests.

import { ShapeError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import type { Program } from "./gpu/program.ts";
import { checkNumbers, checkOptions } from "./options.ts";
import { gradients } from "./tape/gradients.ts";
import { Tape } from "./tape/tape.ts";
import { describe, sizeOf, type Tensor } from "./tape/tensor.ts";

/** A tensor with its elements, on the host; row-major, images NHWC, filters HWIO. */
export interface Value {
  /** Row-major. */
  readonly shape: number[];
  /** As many elements as the shape has. */
  readonly data: Float32Array;
}

/**
 * Throws `SHAPE` where the number of elements does not fit the shape.
 * @example
 * ```ts
 * const x = tensor([2, 3], [1, 2, 3, 4, 5, 6]);
 * ```
 */
export function tensor(shape: readonly number[], data: ArrayLike<number>): Value {
  checkNumbers("tensor: data", data);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError("tensor", `shape ${describe(shape)}; expected ${sizeOf(shape)} values, got ${data.length}.`);
  }
  return { shape: [...shape], data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

/** Options of `valueAndGradients`. */
export interface ValueAndGradientsOptions<Name extends string> {
  /** Inputs whose gradients are wanted. */
  readonly gradientsOf?: readonly Name[];
  /** Gradient of the output, in its shape; without it the output must be a scalar, and its gradient is 1. */
  readonly outputGradient?: Value;
}

/**
 * Records `compose` on a tape of its own, runs it once on `inputs`, reads back its value and the wanted gradients.
 * @returns The output's value, and for each name in `gradientsOf` the gradient of that input's shape.
 * @throws SHAPE where the output is no scalar and there is no `outputGradient`, and what the operations throw.
 * @example
 * ```ts
 * const x = tensor([1, 4], [1, -2, 3, -4]);
 * const { value, gradients } = await valueAndGradients(device, ({ x }) => sum(relu(x)), { x }, { gradientsOf: ["x"] });
 * console.log(value.data[0], gradients.x.data); // 4, Float32Array [1, 0, 1, 0]
 * ```
 */
export async function valueAndGradients<Name extends string>(
  device: Device,
  compose: (inputs: Record<Name, Tensor>) => Tensor,
  inputs: Readonly<Record<Name, Value>>,
  options: ValueAndGradientsOptions<NoInfer<Name>> = {},
): Promise<{ value: Value; gradients: Record<Name, Value> }> {
  checkOptions("valueAndGradients", options, { gradientsOf: 1, outputGradient: 1 });
  const { gradientsOf = [], outputGradient } = options;
  const tape = new Tape(device);
  const names = Object.keys(inputs) as Name[];
  const symbols = Object.fromEntries(names.map((n) => [n, tape.input(n, inputs[n].shape)])) as Record<Name, Tensor>;
  const output = compose(symbols);
  const feed: Record<string, Float32Array> = Object.fromEntries(names.map((n) => [n, inputs[n].data]));

  const outputs: Record<string, Tensor> = { value: output };
  if (gradientsOf.length > 0) {
    const seed = outputGradient && tape.input("output gradient", outputGradient.shape);
    if (outputGradient) feed["output gradient"] = outputGradient.data;
    const wrt = gradientsOf.map((name) => {
      if (!symbols[name]) throw new ShapeError("valueAndGradients", `unknown input "${name}" in gradientsOf.`);
      return symbols[name];
    });
    gradients(output, wrt, seed).forEach((gradient, i) => {
      outputs[`gradient of ${gradientsOf[i]}`] = gradient;
    });
  }
  let program: Program<Record<string, Float32Array>> | undefined;
  try {
    program = await tape.compile({ outputs });
    const results = await program.run(feed);
    const read = (name: string, shape: readonly number[]) => tensor(shape, results[name]);
    const found = gradientsOf.map((name) => [name, read(`gradient of ${name}`, inputs[name].shape)]);
    return { value: read("value", output.shape), gradients: Object.fromEntries(found) };
  } finally {
    program?.dispose();
    tape.store.dispose();
  }
}

/** @deprecated The former name of `valueAndGradients`, from before `evaluate` meant measuring a model. */
export const evaluate = valueAndGradients;
