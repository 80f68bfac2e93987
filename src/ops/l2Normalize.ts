import backwardShader from "../../shaders/l2Normalize.backward.wgsl";
import forwardShader from "../../shaders/l2Normalize.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type Operation, withGradient } from "../tape/graph.ts";
import { summing } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";

/**
 * Each row of [B, D] divided by sqrt(max(its sum of squares, epsilon)), as tf.math.l2_normalize.
 * @example
 * ```ts
 * const embeddings = l2Normalize(tape.input("x", [8, 128]), { epsilon: 1e-12 });
 * ```
 */
export const l2Normalize = (x: Tensor, options?: Partial<L2NormalizeOptions>): Tensor =>
  record(differentiable, x, options);

/** The same without the chain rule, for inference. */
export const plainL2Normalize: typeof l2Normalize = (x, options) => record(plain, x, options);

function record(
  operation: Operation<L2NormalizeOptions>,
  x: Tensor,
  options: Partial<L2NormalizeOptions> = {},
): Tensor {
  checkOptions("l2Normalize", options, { epsilon: "finite number" });
  const tape = tapeOf("l2Normalize", x);
  const { epsilon = 1e-12 } = options;
  if (x.shape.length !== 2) throw new ShapeError("l2Normalize", `got ${describe(x.shape)}; expected [B, D].`);
  const [rows] = x.shape;
  const outputs = [{ shape: x.shape }, { shape: [rows], name: "norm" }];
  return tape.recordAll(operation, [x], { epsilon }, outputs)[0];
}

/** Options of `l2Normalize`. */
export interface L2NormalizeOptions {
  /**
   * The least that the sum of squares counts as.
   * @default 1e-12
   */
  readonly epsilon: number;
}

const plain: Operation<L2NormalizeOptions> = {
  name: "l2Normalize",
  lower({ inputs: [x], outputs: [output, norm], options: { epsilon: EPSILON } }, to) {
    const [rows, COLUMNS] = x.shape;
    to.launch(forwardShader, { x, output, norm }, { COLUMNS, EPSILON }, [rows], summing(to));
  },
};

const differentiable = /* @__PURE__ */ withGradient(plain, {
  gradient: ({ outputs: [output, norm], options }, gradient) => [
    gradient.tape.record(gradientOperation, [output, norm, gradient], options, output.shape),
  ],
});

const gradientOperation: Operation<L2NormalizeOptions> = {
  name: "l2Normalize gradient",
  lower({ inputs: [output, norm, gradient], outputs: [input_gradient], options: { epsilon: EPSILON } }, to) {
    const [rows, COLUMNS] = output.shape;
    to.launch(backwardShader, { output, norm, gradient, input_gradient }, { COLUMNS, EPSILON }, [rows], summing(to));
  },
};
