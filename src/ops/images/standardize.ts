// Removes brightness, contrast and color cast from pictures. A network learns these first to tell two cameras apart,
// and they are no property of the subject.
import shader from "../../../shaders/standardize.forward.wgsl";
import { checkOptions } from "../../options.ts";
import type { Operation } from "../../tape/graph.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";

/**
 * (x - mean) / sqrt(variance + epsilon) for each picture and channel of [N, H, W, C] by itself, the variance being the
 * population's: instance normalization without parameters (Ulyanov et al. 2016). With pictures in [0, 1] the epsilon of
 * 1e-5 keeps the rounding errors of a uniform picture small. Not differentiable; apply it to inputs only.
 * @param options.epsilon - 1e-5 by default.
 * @example
 * ```ts
 * const images = standardize(scaleBytes(tape.input("pictures", [4, 56, 46, 1], { dtype: "u8" })));
 * ```
 */
export function standardize(x: Tensor, options: { readonly epsilon?: number } = {}): Tensor {
  checkOptions("standardize", options, { epsilon: "finite number" });
  const { epsilon = 1e-5 } = options;
  const tape = tapeOf("standardize", x);
  image("standardize", x);
  return tape.record(operation, [x], { epsilon }, x.shape);
}

const operation: Operation<{ readonly epsilon: number }> = {
  name: "standardize",
  lower({ inputs: [x], outputs: [output], options: { epsilon: EPSILON } }, to) {
    const [count, height, width, channels] = x.shape;
    to.launch(shader, { x, output }, { PIXELS: height * width, CHANNELS: channels, EPSILON }, [channels, count]);
  },
};
