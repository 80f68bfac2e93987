// The launches of a batch of matrix products: one for a dense layer, 36 for Winograd's convolution.
import flipFilterShader from "../../../shaders/conv2d.flipFilter.wgsl";
import forwardShader from "../../../shaders/dense.forward.wgsl";
import kernelGradientShader from "../../../shaders/dense.kernelGradient.wgsl";
import uniformShader from "../../../shaders/gpu/dense.forward.uniform.wgsl";
import uniformKernelGradientShader from "../../../shaders/gpu/dense.kernelGradient.uniform.wgsl";
import vec4Shader from "../../../shaders/software/dense.forward.vec4.wgsl";
import thinInputGradientShader from "../../../shaders/software/dense.inputGradient.thin.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { columnSum } from "./columnSum.ts";
import { fitsUniform, lanesFor, partsFor, prefersUniform, tile, uniformTile } from "./matrixTiles.ts";

/** x is [batch, rows, inputs], the kernel [batch, inputs, outputs], the output [batch, rows, outputs]. */
export interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** For x [rows, inputs] and a kernel [inputs, outputs], or for batches of them. */
export function productOf({ shape: x }: Tensor, { shape: kernel }: Tensor): Product {
  const [rows, inputs] = x.slice(-2);
  return { batch: x.length === 3 ? x[0] : 1, rows, inputs, outputs: kernel[kernel.length - 1] };
}

export type Activation = "sigmoid" | "relu";
const activations = { sigmoid: 1, relu: 2 };

export interface ProductTensors {
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly bias?: Tensor;
  readonly output: Tensor;
}

/** Launches another kernel with the arguments of those of `launchProduct`. */
export type LaunchAlike = (
  bindings: Required<ProductTensors>,
  constants: Readonly<Record<"ROWS" | "INPUTS" | "OUTPUTS" | "BIAS" | "ACTIVATION", number>>,
) => void;

/** @param half a candidate that rounds to float16: see halfProduct.ts. */
export function launchProduct(
  to: Lowering,
  product: Product,
  tensors: ProductTensors,
  activation?: Activation,
  half?: LaunchAlike,
): void {
  const { batch, rows, inputs, outputs } = product;
  const { x, kernel, output } = tensors;
  const bindings = { x, kernel, bias: tensors.bias ?? kernel, output };
  const constants = {
    ROWS: rows,
    INPUTS: inputs,
    OUTPUTS: outputs,
    BIAS: tensors.bias ? 1 : 0,
    ACTIVATION: activation ? activations[activation] : 0,
  };
  choose<unknown>(to, keyOf("product", { ...product, ...(half && { half: 1 }) }), {
    ...(half && { half: { preferred: rows >= 32, half: true, launch: () => half(bindings, constants) } }),
    uniform: {
      fits: fitsUniform(inputs),
      preferred: prefersUniform(to),
      launch() {
        const grid = [Math.ceil(outputs / uniformTile.columns), Math.ceil(rows / uniformTile.rows), batch] as const;
        to.launch(uniformShader, bindings, constants, grid);
      },
    },
    vec4: {
      fits: outputs % 4 === 0,
      launch() {
        const { LANES, TILES } = lanesFor(rows, outputs);
        const grid = [Math.ceil(outputs / (tile * LANES)), Math.ceil(rows / (tile * TILES)), batch] as const;
        const lengths = { X_LENGTH: x.size, KERNEL_LENGTH: kernel.size / 4, OUTPUT_LENGTH: output.size / 4 };
        to.launch(vec4Shader, bindings, constants, grid, { LANES, TILES, ...lengths });
      },
    },
    tiled: {
      portable: true,
      launch() {
        const { LANES, TILES } = lanesFor(rows, outputs);
        const grid = [Math.ceil(outputs / (tile * LANES)), Math.ceil(rows / (tile * TILES)), batch] as const;
        const lengths = { X_LENGTH: x.size, KERNEL_LENGTH: kernel.size, OUTPUT_LENGTH: output.size };
        to.launch(forwardShader, bindings, constants, grid, { LANES, TILES, ...lengths });
      },
    },
  });
}

/** The gradient of the kernel, in the given shape. */
export function launchKernelGradient(
  to: Lowering,
  product: Product,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
  shape: readonly number[],
): Tensor {
  const { partial, parts } = launchKernelGradientParts(to, product, tensors);
  if (parts === 1) return to.view(to.storage(partial), shape, "kernel gradient");
  return columnSum(to, "kernel gradient", partial, parts, shape);
}

/** The same as sums over parts of the rows: [parts, batch, inputs, outputs]. */
export function launchKernelGradientParts(
  to: Lowering,
  product: Product,
  tensors: { readonly x: Tensor; readonly gradient: Tensor },
): { partial: Tensor; parts: number } {
  const candidates = {
    uniform: {
      fits: fitsUniform(product.inputs),
      preferred: prefersUniform(to),
      launch: () => kernelGradient(to, product, tensors, "uniform"),
    },
    tiled: { portable: true as const, launch: () => kernelGradient(to, product, tensors, "tiled") },
  };
  const { batch, inputs, outputs } = product;
  return choose(to, keyOf("product.kernelGradient", { ...product }), candidates, ({ partial, parts }) => [
    columnSum(to, "kernel gradient", partial, parts, [batch, inputs, outputs]),
  ]);
}

function kernelGradient(
  to: Lowering,
  { batch, rows, inputs, outputs }: Product,
  { x, gradient }: { readonly x: Tensor; readonly gradient: Tensor },
  form: "uniform" | "tiled",
): { partial: Tensor; parts: number } {
  const { LANES, TILES } = lanesFor(inputs, outputs);
  const tiles =
    form === "uniform"
      ? ([Math.ceil(outputs / uniformTile.columns), Math.ceil(inputs / uniformTile.gradientRows)] as const)
      : ([Math.ceil(outputs / (tile * LANES)), Math.ceil(inputs / (tile * TILES))] as const);
  const { part: PART, parts } = partsFor(to, rows, 1, tiles[0] * tiles[1] * batch);
  const partial = to.temporary("kernel gradient", [parts, batch, inputs, outputs]);
  const bindings = { x, gradient, partial };
  const constants = { ROWS: rows, INPUTS: inputs, OUTPUTS: outputs, BATCH: batch, PART };
  const grid = [...tiles, batch * parts] as const;
  const tunables = { LANES, TILES, X_LENGTH: x.size, GRADIENT_LENGTH: gradient.size };
  if (form === "uniform") to.launch(uniformKernelGradientShader, bindings, constants, grid);
  else to.launch(kernelGradientShader, bindings, constants, grid, tunables);
  return { partial, parts };
}

/** The gradient of x: the output gradient [batch, rows, outputs] times the transposed kernel. */
export function launchProductInputGradient(
  to: Lowering,
  product: Product,
  { kernel, gradient, output }: { readonly kernel: Tensor; readonly gradient: Tensor; readonly output: Tensor },
): void {
  const { batch, rows, inputs, outputs } = product;
  choose(to, keyOf("product.inputGradient", { ...product }), {
    thin: {
      fits: batch === 1 && outputs % 4 === 0,
      preferred: to.device.adapter.software && rows <= 8,
      launch() {
        const { LANES, TILES } = { LANES: 8, TILES: Math.min(4, Math.ceil(rows / 2)) };
        const grid = [Math.ceil(inputs / (tile * LANES)), Math.ceil(rows / (2 * TILES))] as const;
        const lengths = { KERNEL_LENGTH: kernel.size / 4, GRADIENT_LENGTH: gradient.size / 4 };
        const sizes = { ROWS: rows, INPUTS: inputs, OUTPUTS: outputs };
        const bindings = { kernel, gradient, input_gradient: output };
        to.launch(thinInputGradientShader, bindings, sizes, grid, { LANES, TILES, ...lengths });
      },
    },
    transposed: {
      portable: true,
      launch() {
        const transposed = transpose(to, product, kernel);
        const backwards = { batch, rows, inputs: outputs, outputs: inputs };
        launchProduct(to, backwards, { x: gradient, kernel: transposed, output });
      },
    },
  });
}

/** The kernel [batch, inputs, outputs] as [batch, outputs, inputs]. */
function transpose(to: Lowering, { batch, inputs, outputs }: Product, kernel: Tensor): Tensor {
  const transposed = to.temporary("transposed kernel", [batch, outputs, inputs]);
  const grid = [Math.ceil(inputs / 8), Math.ceil(outputs / 8), batch] as const;
  const shape = { TAPS: batch, REVERSED: 0, CHANNELS: inputs, FILTERS: outputs };
  to.launch(flipFilterShader, { filter_: kernel, flipped: transposed }, shape, grid);
  return transposed;
}
