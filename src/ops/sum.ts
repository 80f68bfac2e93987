// Sums to a scalar, in levels of workgroup trees: in the same order on every run.
import broadcastShader from "../../shaders/broadcast.forward.wgsl";
import l2BackwardShader from "../../shaders/l2Penalty.backward.wgsl";
import sumShader from "../../shaders/sum.forward.wgsl";
import { ShapeError } from "../errors.ts";
import type { Operation } from "../tape/graph.ts";
import type { Lowering } from "../tape/lower.ts";
import { vec4Threads } from "../tape/lowering/grid.ts";
import { tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/**
 * The sum of all elements, a scalar.
 * @example
 * ```ts
 * const { value } = await valueAndGradients(device, ({ x }) => sum(x), { x: tensor([3], [1, 2, 3]) });
 * console.log(value.data[0]); // 6
 * ```
 */
export function sum(x: Tensor): Tensor {
  return tapeOf("sum", x).record(sumOperation, [x], { factor: 1 }, []);
}

/**
 * The mean of all elements, a scalar.
 * @example
 * ```ts
 * const loss = mean(tape.input("losses", [8]));
 * ```
 */
export function mean(x: Tensor): Tensor {
  return tapeOf("mean", x).record(sumOperation, [x], { factor: 1 / x.size }, []);
}

/**
 * factor * sum(w^2) / 2, a scalar (TensorFlow's l2_regularizer).
 * @example
 * ```ts
 * const w = tape.parameter("w", [4, 1], { initial: "glorot-uniform", seed: 1 });
 * const total = add(mean(x), l2Penalty(w, 0.1));
 * ```
 */
export function l2Penalty(parameter: Tensor, factor: number): Tensor {
  const tape = tapeOf("l2Penalty", parameter);
  if (!(factor >= 0 && Number.isFinite(factor))) {
    throw new ShapeError("l2Penalty", `the factor is ${factor}; expected a finite number of at least 0.`);
  }
  return tape.record(penaltyOperation, [parameter], { factor }, []);
}

interface Options {
  readonly factor: number;
}

/** factor * sum(x) */
const sumOperation: Operation<Options> = {
  name: "sum",
  gradient: ({ inputs: [x], options }, gradient) => [
    gradient.tape.record(sumGradientOperation, [gradient], options, x.shape),
  ],
  lower({ inputs: [x], outputs: [output], options: { factor: FACTOR } }, to) {
    launchTotal(to, x, output, { FACTOR });
  },
};

const sumGradientOperation: Operation<Options> = {
  name: "sum gradient",
  lower({ inputs: [gradient], outputs: [input_gradient], options: { factor: FACTOR } }, to) {
    const { groups, constants } = vec4Threads(input_gradient.size);
    to.launch(broadcastShader, { x: gradient, output: input_gradient }, { ...constants, FACTOR }, groups);
  },
};

const penaltyOperation: Operation<Options> = {
  name: "l2Penalty",
  decay: ({ inputs: [of], options: { factor } }) => ({ of, factor }),
  gradient: ({ inputs: [parameter], options }, gradient) => [
    gradient.tape.record(penaltyGradientOperation, [parameter, gradient], options, parameter.shape),
  ],
  lower({ inputs: [parameter], outputs: [output], options: { factor } }, to) {
    launchTotal(to, parameter, output, { FACTOR: factor / 2, SQUARES: 1 });
  },
};

const penaltyGradientOperation: Operation<Options> = {
  name: "l2Penalty gradient",
  lower({ inputs: [parameter, gradient], outputs: [parameter_gradient], options: { factor: FACTOR } }, to) {
    const { groups, constants } = vec4Threads(parameter.size);
    to.launch(l2BackwardShader, { parameter, gradient, parameter_gradient }, { ...constants, FACTOR }, groups);
  },
};

/** Elements per workgroup of one level. */
const chunk = 4096;

function launchTotal(to: Lowering, x: Tensor, output: Tensor, first: { FACTOR: number; SQUARES?: number }): void {
  let source = x;
  let options = first;
  do {
    const groups = Math.ceil(source.size / chunk);
    const level = groups === 1 ? output : to.temporary("sum", [groups]);
    const sizes = { COUNT: source.size, CHUNK: chunk };
    to.launch(sumShader, { x: source, base: source, output: level }, { ...sizes, ...options }, [groups]);
    source = level;
    options = { FACTOR: 1 };
  } while (source.size > 1);
}
