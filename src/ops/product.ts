// The launches of a batch of matrix products: one for a dense layer, sixteen for Winograd's convolution.
import flipFilterShader from "../../shaders/conv2d.flipFilter.wgsl";
import uniformShader from "../../shaders/dense.forward.uniform.wgsl";
import forwardShader from "../../shaders/dense.forward.wgsl";
import uniformKernelGradientShader from "../../shaders/dense.kernelGradient.uniform.wgsl";
import kernelGradientShader from "../../shaders/dense.kernelGradient.wgsl";
import { choose, keyOf } from "../tape/choose.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { columnSum } from "./columnSum.ts";
import { fitsUniform, lanesFor, partsFor, prefersUniform, tile, uniformTile } from "./tiles.ts";

/** x is [batch, rows, inputs], the kernel [batch, inputs, outputs], the output [batch, rows, outputs]. */
export interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

export type Activation = "sigmoid" | "relu";
const activations = { sigmoid: 1, relu: 2 };

export function launchProduct(
  tape: Tape,
  product: Product,
  tensors: { readonly x: Tensor; readonly kernel: Tensor; readonly bias?: Tensor; readonly output: Tensor },
  activation?: Activation,
): void {
  const { batch, rows, inputs, outputs } = product;
  const { x, kernel, output } = tensors;
  const bindings = { x, kernel, bias: tensors.bias ?? kernel, output };
  const constants = {
    ...{ ROWS: rows, INPUTS: inputs, OUTPUTS: outputs },
    ...{ BIAS: tensors.bias ? 1 : 0, ACTIVATION: activation ? activations[activation] : 0 },
  };
  choose(tape, keyOf("product", { ...product }), {
    uniform: {
      fits: fitsUniform(inputs),
      preferred: prefersUniform(tape),
      launch() {
        const grid = [Math.ceil(outputs / uniformTile.columns), Math.ceil(rows / uniformTile.rows), batch] as const;
        tape.launch(uniformShader, bindings, constants, grid);
      },
    },
    tiled: {
      launch() {
        const { LANES, TILES } = lanesFor(outputs);
        const grid = [Math.ceil(outputs / (tile * LANES)), Math.ceil(rows / (tile * TILES)), batch] as const;
        const lengths = { X_LENGTH: x.size, KERNEL_LENGTH: kernel.size, OUTPUT_LENGTH: output.size };
        tape.launch(forwardShader, bindings, constants, grid, { LANES, TILES, ...lengths });
      },
    },
  });
}

/** The gradient of the kernel, of the given shape. */
export function launchKernelGradient(
  tape: Tape,
  product: Product,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  return choose(tape, keyOf("product.kernelGradient", { ...product }), {
    uniform: {
      fits: fitsUniform(product.inputs),
      preferred: prefersUniform(tape),
      launch: () => kernelGradient(tape, product, tensors, shape, true),
    },
    tiled: { launch: () => kernelGradient(tape, product, tensors, shape, false) },
  });
}

function kernelGradient(
  tape: Tape,
  { batch, rows, inputs, outputs }: Product,
  { x, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
  uniform: boolean,
): Tensor {
  const { LANES, TILES } = lanesFor(outputs);
  const tiles = uniform
    ? ([Math.ceil(outputs / uniformTile.columns), Math.ceil(inputs / uniformTile.gradientRows)] as const)
    : ([Math.ceil(outputs / (tile * LANES)), Math.ceil(inputs / (tile * TILES))] as const);
  const { part: PART, parts } = partsFor(tape, rows, 1, tiles[0] * tiles[1] * batch);
  const partial = tape.temporary("kernel gradient", parts === 1 ? shape : [parts, batch, inputs, outputs]);
  const bindings = { x, gradient, partial };
  const constants = { ROWS: rows, INPUTS: inputs, OUTPUTS: outputs, BATCH: batch, PART };
  const grid = [...tiles, batch * parts] as const;
  const tunables = { LANES, TILES, X_LENGTH: x.size, GRADIENT_LENGTH: gradient.size };
  if (uniform) tape.launch(uniformKernelGradientShader, bindings, constants, grid);
  else tape.launch(kernelGradientShader, bindings, constants, grid, tunables);
  return parts === 1 ? partial : columnSum(tape, "kernel gradient", partial, parts, shape);
}

/** The kernel [inputs, outputs] as [outputs, inputs]. */
export function launchTranspose(tape: Tape, kernel: Tensor): Tensor {
  const [inputs, outputs] = kernel.shape;
  const transposed = tape.temporary("transposed kernel", [outputs, inputs]);
  const grid = [Math.ceil(inputs / 8), Math.ceil(outputs / 8)] as const;
  const shape = { TAPS: 1, CHANNELS: inputs, FILTERS: outputs };
  tape.launch(flipFilterShader, { filter_: kernel, flipped: transposed }, shape, grid);
  return transposed;
}
