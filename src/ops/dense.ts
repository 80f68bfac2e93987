import reluBackwardShader from "../../shaders/relu.backward.wgsl";
import sigmoidBackwardShader from "../../shaders/sigmoid.backward.wgsl";
import { ShapeError } from "../errors.ts";
import { vec4Threads } from "../tape/grid.ts";
import { type Backward, tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";
import { throughSigmoid } from "./fused/pairLoss.ts";
import { columnSum } from "./kernels/columnSum.ts";
import {
  type Activation,
  launchKernelGradient,
  launchProduct,
  launchProductInputGradient,
} from "./kernels/matrixProduct.ts";

export interface DenseOptions {
  /** [O], added to each output. */
  readonly bias?: Tensor;
  /** Applied to the result in the same pass. */
  readonly activation?: Activation;
}

/**
 * activation(x kernel + bias): [B, I] x [I, O] -> [B, O]. Throws `SHAPE` where the shapes do not match.
 */
export function dense(x: Tensor, kernel: Tensor, options: DenseOptions = {}): Tensor {
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
  const product = { batch: 1, rows: batch, inputs, outputs };
  const output = tape.temporary("dense", [batch, outputs]);
  launchProduct(tape, product, { x, kernel, bias, output }, activation);

  const backward: Backward = (arriving, wanted) => {
    const through = activation === "sigmoid" ? throughSigmoid.get(arriving) : undefined;
    let gradient = through?.gradient ?? arriving; // of the sum before the activation
    if (activation && !through) {
      gradient = tape.temporary(`${activation} gradient`, output.shape);
      const { groups, constants } = vec4Threads(output.size);
      const tensors = { output, gradient: arriving, input_gradient: gradient };
      tape.launch(activation === "sigmoid" ? sigmoidBackwardShader : reluBackwardShader, tensors, constants, groups);
    }
    const input_gradient = wanted[0] ? tape.temporary("dense gradient", x.shape) : undefined;
    if (input_gradient) launchProductInputGradient(tape, product, { kernel, gradient, output: input_gradient });
    return [
      input_gradient,
      wanted[1] ? launchKernelGradient(tape, product, { x, gradient }, kernel.shape) : undefined,
      wanted[2] ? (through?.bias ?? columnSum(tape, "bias gradient", gradient, batch, [outputs])) : undefined,
    ];
  };
  return tape.record("dense", bias ? [x, kernel, bias] : [x, kernel], output, backward, activation);
}
