// Takes light and colour cast out of pictures: how bright a picture is, how much contrast it has and what tint, is the
// first thing that a network learns to tell two cameras by, and no property of what they show.
import shader from "../../../shaders/standardize.forward.wgsl";
import { TwingradError } from "../../errors.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";

/**
 * (x - mean) / sqrt(variance + epsilon) for each picture and channel of [N, H, W, C] by itself, the variance being the
 * population's: instance normalisation without parameters (Ulyanov et al. 2016). With pictures in [0, 1] the epsilon of
 * 1e-5 keeps an even area, whose rounding is all there is, from being blown up. Without a gradient: it stands where
 * pictures come in.
 */
export function standardize(x: Tensor, options: { readonly epsilon?: number } = {}): Tensor {
  const tape = tapeOf("standardize", x);
  const [count, height, width, channels] = image("standardize", x);
  const output = tape.temporary("standardised pixels", x.shape);
  const constants = { PIXELS: height * width, CHANNELS: channels, EPSILON: options.epsilon ?? 1e-5 };
  tape.launch(shader, { x, output }, constants, [channels, count]);
  return tape.record("standardize", [x], output, () => {
    throw new TwingradError("BAD_INPUT", "standardize: it has no gradient; take gradients of what follows it.");
  });
}
