// Requests for gradients: an operation like any other, which `differentiate` replaces by the operations that compute
// them.
import { ShapeError } from "../errors.ts";
import { gradientRequest } from "./differentiate.ts";
import { describe, type Tensor } from "./tensor.ts";

/**
 * d output / d wrt[i], each of wrt[i]'s shape. A tensor that is used several times gets the sum, added in the reverse
 * order of use. `seed` is the gradient of the output itself; without it the output must be a scalar and its gradient is 1.
 * @returns One tensor for each of `wrt`, recorded on the same tape.
 * @throws SHAPE where `output` is no scalar and there is no `seed`.
 * @example
 * ```ts
 * const x = tape.input("x", [3]);
 * const [slope] = gradients(sum(relu(x)), [x]);
 * const program = await tape.compile({ outputs: { slope: slope! } });
 * ```
 */
export function gradients(output: Tensor, wrt: readonly Tensor[], seed?: Tensor): Tensor[] {
  const { tape } = output;
  if (!seed && output.size !== 1) {
    throw new ShapeError(
      "gradients",
      `the output has shape ${describe(output.shape)}; expected a scalar, or an output gradient of that shape.`,
    );
  }
  if (seed && describe(seed.shape) !== describe(output.shape)) {
    throw new ShapeError(
      "gradients",
      `the output gradient has shape ${describe(seed.shape)}; expected ${describe(output.shape)}, the output's own.`,
    );
  }
  const bytes = wrt.find(({ dtype }) => dtype !== "f32");
  if (bytes) throw new ShapeError("gradients", `"${bytes.name}" holds ${bytes.dtype}; expected an f32 tensor.`);
  const given = seed ?? tape.constant("one", output.shape, Float32Array.of(1));
  const outputs = wrt.map(({ shape, name }) => ({ shape, name: `gradient of ${name}` }));
  return [...tape.recordAll(gradientRequest, [output, given, ...wrt], undefined, outputs)];
}
