// Sums to a scalar, in levels of workgroup trees: a fixed order on every run.
import broadcastShader from "../../shaders/broadcast.forward.wgsl";
import l2BackwardShader from "../../shaders/l2Penalty.backward.wgsl";
import sumShader from "../../shaders/sum.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { vec4Threads } from "../tape/grid.ts";
import { type Tape, tapeOf } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

/** The sum of all elements, a scalar. */
export function sum(x: Tensor): Tensor {
  return weightedSum("sum", x, 1);
}

/** The mean of all elements, a scalar. */
export function mean(x: Tensor): Tensor {
  return weightedSum("mean", x, 1 / x.size);
}

function weightedSum(operation: string, x: Tensor, factor: number): Tensor {
  const tape = tapeOf(operation, x);
  const output = total(tape, x, { FACTOR: factor });
  return tape.record(operation, [x], output, (gradient) => {
    const input_gradient = tape.temporary(`${operation} gradient`, x.shape);
    const { groups, constants } = vec4Threads(x.size);
    tape.launch(broadcastShader, { x: gradient, output: input_gradient }, { ...constants, FACTOR: factor }, groups);
    return [input_gradient];
  });
}

/** factor * sum(w^2) / 2, a scalar (TensorFlow's l2_regularizer). */
export function l2Penalty(parameter: Tensor, factor: number): Tensor {
  const tape = tapeOf("l2Penalty", parameter);
  if (!(factor >= 0 && Number.isFinite(factor))) {
    throw new ShapeError("l2Penalty", `the factor is ${factor}; expected a finite number of at least 0.`);
  }
  const output = total(tape, parameter, { FACTOR: factor / 2, SQUARES: 1 });
  tape.penalties.set(output, { parameter, factor });
  return tape.record("l2Penalty", [parameter], output, (gradient) => {
    const parameter_gradient = tape.temporary("l2 gradient", parameter.shape);
    const { groups, constants } = vec4Threads(parameter.size);
    const all = { ...constants, FACTOR: factor };
    tape.launch(l2BackwardShader, { parameter, gradient, parameter_gradient }, all, groups);
    return [parameter_gradient];
  });
}

/** Elements for each workgroup of one level. */
const chunk = 4096;

function total(tape: Tape, x: Tensor, first: { FACTOR: number; SQUARES?: number }): Tensor {
  let source = x;
  let options = first;
  do {
    const groups = Math.ceil(source.size / chunk);
    const output = tape.temporary("sum", groups === 1 ? [] : [groups]);
    tape.launch(sumShader, { x: source, base: source, output }, { COUNT: source.size, CHUNK: chunk, ...options }, [
      groups,
    ]);
    source = output;
    options = { FACTOR: 1 };
  } while (source.size > 1);
  return source;
}
