import { ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type Operation, withGradient } from "../tape/graph.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { denseActivation } from "./fused/denseActivation.ts";
import { sumRows } from "./kernels/columnSum.ts";
import { launchRoundedProduct } from "./kernels/halfProduct.ts";
import {
  type Activation,
  launchKernelGradient,
  launchProduct,
  launchProductInputGradient,
  productOf,
} from "./kernels/matrixProduct.ts";
import { reluGradient } from "./relu.ts";
import { sigmoidGradient } from "./sigmoid.ts";

/** Options of `dense`. */
export interface DenseOptions {
  /** [O], added to each output. */
  readonly bias?: Tensor;
  /** Applied to the result in the same pass. */
  readonly activation?: Activation;
}

/**
 * activation(x kernel + bias): [B, I] x [I, O] -> [B, O]. Throws `SHAPE` where the shapes do not match.
 * @example
 * ```ts
 * const kernel = tape.parameter("kernel", [128, 10], { initial: "glorot-uniform", seed: 1 });
 * const y = dense(tape.input("x", [4, 128]), kernel, { activation: "relu" }); // [4, 10]
 * ```
 */
export const dense = (x: Tensor, kernel: Tensor, options?: DenseOptions): Tensor =>
  recordDense(differentiable, x, kernel, options);

/** The same without the chain rule, for inference. */
export const plainDense: typeof dense = (x, kernel, options) => recordDense(denseOperation, x, kernel, options);

function recordDense(
  operation: Operation<{ readonly activation?: Activation }>,
  x: Tensor,
  kernel: Tensor,
  options: DenseOptions = {},
): Tensor {
  checkOptions("dense", options, { bias: 1, activation: 1 });
  const { bias, activation } = options;
  const tape = tapeOf("dense", x, kernel, bias);
  if (x.shape.length !== 2) throw new ShapeError("dense", `x is ${describe(x.shape)}; expected [B, I].`);
  const [batch, inputs] = x.shape;
  if (kernel.shape.length !== 2 || kernel.shape[0] !== inputs) {
    throw new ShapeError(
      "dense",
      `the kernel is ${describe(kernel.shape)}; expected [${inputs}, outputs] for x ${describe(x.shape)}.`,
    );
  }
  const outputs = kernel.shape[1];
  if (bias && describe(bias.shape) !== describe([outputs])) {
    throw new ShapeError("dense", `the bias is ${describe(bias.shape)}; expected ${describe([outputs])}.`);
  }
  if (activation !== undefined && activation !== "sigmoid" && activation !== "relu") {
    throw new ShapeError("dense", `the activation is ${JSON.stringify(activation)}; expected "sigmoid" or "relu".`);
  }
  return tape.record(operation, bias ? [x, kernel, bias] : [x, kernel], { activation }, [batch, outputs]);
}

export const denseOperation: Operation<{ readonly activation?: Activation }> = {
  name: "dense",
  lower({ inputs: [x, kernel, bias], outputs: [output], options: { activation } }, to) {
    launchProduct(to, productOf(x, kernel), { x, kernel, bias, output }, activation);
  },
};

const differentiable = /* @__PURE__ */ withGradient(denseOperation, {
  rules: [denseActivation],
  lower({ inputs: [x, kernel, bias], outputs: [output], options: { activation } }, to) {
    launchRoundedProduct(to, productOf(x, kernel), { x, kernel, bias, output }, activation);
  },
  gradient({ inputs: [x, kernel], outputs: [output], options: { activation } }, arriving, wanted) {
    const through = { sigmoid: sigmoidGradient, relu: reluGradient };
    const gradient = activation ? through[activation](output, arriving) : arriving; // of the sum before the activation
    return [
      wanted[0] ? denseInputGradient(x, kernel, gradient) : undefined,
      wanted[1] ? denseKernelGradient(x, kernel, gradient) : undefined,
      wanted[2] ? sumRows("bias gradient", gradient, kernel.shape.slice(1)) : undefined,
    ];
  },
});

/** The gradient of x; also for a batch of products. */
export function denseInputGradient(x: Tensor, kernel: Tensor, gradient: Tensor): Tensor {
  return gradient.tape.record(inputGradientOperation, [kernel, gradient], undefined, x.shape);
}

const inputGradientOperation: Operation<undefined> = {
  name: "dense input gradient",
  lower({ inputs: [kernel, gradient], outputs: [output] }, to) {
    launchProductInputGradient(to, productOf(output, kernel), { kernel, gradient, output });
  },
};

/** The gradient of the kernel; also for a batch of products. */
export function denseKernelGradient(x: Tensor, kernel: Tensor, gradient: Tensor): Tensor {
  return gradient.tape.record(kernelGradientOperation, [x, gradient], undefined, kernel.shape);
}

const kernelGradientOperation: Operation<undefined> = {
  name: "dense kernel gradient",
  lower({ inputs: [x, gradient], outputs: [output] }, to) {
    const found = launchKernelGradient(to, productOf(x, output), { x, gradient }, output.shape);
    to.place(output, to.storage(found));
  },
};
