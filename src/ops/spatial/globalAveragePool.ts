import backwardShader from "../../../shaders/globalAveragePool.backward.wgsl";
import forwardShader from "../../../shaders/globalAveragePool.forward.wgsl";
import { type Operation, withGradient } from "../../tape/graph.ts";
import { threads } from "../../tape/lowering/grid.ts";
import { tapeOf } from "../../tape/tape.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { image } from "../kernels/windowShape.ts";

/**
 * The mean of each channel of [B, H, W, C] over its pixels: [B, C], whatever the height and width.
 * @throws SHAPE for other ranks.
 * @example
 * ```ts
 * const y = globalAveragePool(tape.input("x", [4, 7, 7, 32])); // [4, 32]
 * ```
 */
export const globalAveragePool = (x: Tensor): Tensor => record(differentiable, x);

/** The same without the chain rule, for inference. */
export const plainGlobalAveragePool: typeof globalAveragePool = (x) => record(operation, x);

function record(operation: Operation<undefined>, x: Tensor): Tensor {
  const tape = tapeOf("globalAveragePool", x);
  const [batch, , , channels] = image("globalAveragePool", x);
  return tape.record(operation, [x], undefined, [batch, channels]);
}

const operation: Operation<undefined> = {
  name: "globalAveragePool",
  lower({ inputs: [x], outputs: [output] }, to) {
    const [batch, height, width, CHANNELS] = x.shape;
    to.launch(forwardShader, { x, output }, { PIXELS: height * width, CHANNELS }, [Math.ceil(CHANNELS / 64), batch]);
  },
};

const differentiable = /* @__PURE__ */ withGradient(operation, {
  gradient: ({ inputs: [x] }, gradient) => [gradient.tape.record(gradientOperation, [gradient], undefined, x.shape)],
});

const gradientOperation: Operation<undefined> = {
  name: "globalAveragePool gradient",
  lower({ inputs: [gradient], outputs: [input_gradient] }, to) {
    const [, height, width, CHANNELS] = input_gradient.shape;
    const { groups, constants } = threads(input_gradient.size);
    to.launch(backwardShader, { gradient, input_gradient }, { PIXELS: height * width, CHANNELS, ...constants }, groups);
  },
};
