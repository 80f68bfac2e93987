import backwardShader from "../../shaders/l2Normalize.backward.wgsl";
import forwardShader from "../../shaders/l2Normalize.forward.wgsl";
import { ShapeError } from "../errors.ts";
import { tapeOf } from "../tape/tape.ts";
import { describe, type Tensor } from "../tape/tensor.ts";

/** Each row of [B, D] divided by sqrt(max(its sum of squares, epsilon)), as tf.math.l2_normalize. */
export function l2Normalize(x: Tensor, options: { readonly epsilon?: number } = {}): Tensor {
  const tape = tapeOf("l2Normalize", x);
  const { epsilon = 1e-12 } = options;
  if (x.shape.length !== 2) throw new ShapeError("l2Normalize", `got ${describe(x.shape)}; expected [B, D].`);
  const [rows, columns] = x.shape;
  const constants = { COLUMNS: columns, EPSILON: epsilon };
  const output = tape.temporary("normalised", x.shape);
  const norm = tape.temporary("norm", [rows]);
  tape.launch(forwardShader, { x, output, norm }, constants, [rows]);

  return tape.record("l2Normalize", [x], output, (gradient) => {
    const input_gradient = tape.temporary("normalise gradient", x.shape);
    tape.launch(backwardShader, { output, norm, gradient, input_gradient }, constants, [rows]);
    return [input_gradient];
  });
}
