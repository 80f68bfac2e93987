import backwardShader from "../../../shaders/centralDifference.backward.wgsl";
import forwardShader from "../../../shaders/centralDifference.forward.wgsl";
import { ShapeError } from "../../errors.ts";
import { type Operation, withGradient } from "../../tape/graph.ts";
import { tapeOf } from "../../tape/tape.ts";
import { describe, type Tensor } from "../../tape/tensor.ts";

/**
 * The filter [U, V, I, O] of a central difference convolution (Yu et al. 2020): `theta` times the sum of all weights is
 * subtracted from the weight at the center. With 1 the convolution sees only differences from the center pixel; 0
 * leaves the filter unchanged. U and V are odd.
 * @param filter - [U, V, I, O].
 * @param theta - from 0 to 1.
 * @returns The shape of `filter`.
 * @throws SHAPE for a filter with an even side.
 * @example
 * ```ts
 * const filter = tape.parameter("filter", [3, 3, 3, 16], { initial: "glorot-uniform", seed: 1 });
 * const y = conv2d(tape.input("x", [4, 56, 56, 3]), centralDifference(filter, 0.7));
 * ```
 */
export const centralDifference = (filter: Tensor, theta: number): Tensor => record(differentiable, filter, theta);

/** The same without the chain rule, for inference. */
export const plainCentralDifference: typeof centralDifference = (filter, theta) => record(operation, filter, theta);

function record(operation: Operation<Options>, filter: Tensor, theta: number): Tensor {
  const tape = tapeOf("centralDifference", filter);
  const [rows, columns] = filter.shape;
  if (filter.shape.length !== 4 || rows % 2 === 0 || columns % 2 === 0) {
    const expected = "expected [rows, columns, channels, filters] with odd rows and columns";
    throw new ShapeError("centralDifference", `the filter is ${describe(filter.shape)}; ${expected}.`);
  }
  if (!Number.isFinite(theta)) throw new ShapeError("centralDifference", `theta is ${theta}; expected a number.`);
  return tape.record(operation, [filter], { theta }, filter.shape);
}

interface Options {
  readonly theta: number;
}

const operation: Operation<Options> = {
  name: "centralDifference",
  lower({ inputs: [filter_], outputs: [output], options }, to) {
    const { groups, constants } = perPair(filter_, options);
    to.launch(forwardShader, { filter_, output }, constants, groups);
  },
};

const differentiable = /* @__PURE__ */ withGradient(operation, {
  gradient: ({ inputs: [filter], options }, gradient) => [
    gradient.tape.record(gradientOperation, [gradient], options, filter.shape),
  ],
});

const gradientOperation: Operation<Options> = {
  name: "centralDifference gradient",
  lower({ inputs: [gradient], outputs: [filter_gradient], options }, to) {
    const { groups, constants } = perPair(gradient, options);
    to.launch(backwardShader, { gradient, filter_gradient }, constants, groups);
  },
};

function perPair({ shape: [rows, columns, channels, filters] }: Tensor, { theta: THETA }: Options) {
  const PAIRS = channels * filters;
  const groups = [Math.ceil(PAIRS / 64)] as const;
  return { groups, constants: { WINDOW: rows * columns, PAIRS, THETA } };
}
