// A convolution under a max-pool. Each element of the pool's gradient goes to one element of the convolution's
// gradient, so both have the same sum over batch and space: the bias gradient.
import type { Operation } from "../../tape/graph.ts";
import type { Rule } from "../../tape/rewrite.ts";
import { conv2dFilterGradient, conv2dInputGradient, conv2dOperation } from "../conv2d.ts";
import { sumRows } from "../kernels/columnSum.ts";
import { launchForward } from "../kernels/convolution.ts";
import type { Convolution } from "../kernels/convolutionShape.ts";
import { launchMaxPool2d, maxPool2dGradient, type Windows } from "../kernels/maxPool.ts";

export const biasUnderMaxPool: Rule = {
  name: "bias gradient under a max-pool",
  saves:
    "Most reads of the bias gradient: it sums the pool's gradient, a quarter of the convolution's for 2 x 2 windows.",
  match(pool, graph) {
    const convolution = graph.soleMaker(conv2dOperation, pool.inputs[0]);
    const windows = pool.options as Windows;
    if (convolution?.inputs.length !== 3) return undefined;
    const options = { convolution: convolution.options, windows };
    const by = { operation: pooledConvolutionOperation, inputs: convolution.inputs, options, outputs: pool.outputs };
    return { nodes: [convolution, pool], by: [by] };
  },
};

interface Options {
  readonly convolution: Convolution;
  readonly windows: Windows;
}

const pooledConvolutionOperation: Operation<Options> = {
  name: "conv2d + maxPool2d",
  gradient({ inputs: [x, filter, bias], outputs: [, argmax], options }, arriving, wanted) {
    const { convolution, windows } = options;
    const gradient = maxPool2dGradient(windows, convolvedShape(convolution), argmax, arriving);
    return [
      wanted[0] ? conv2dInputGradient(convolution, x, filter, gradient) : undefined,
      wanted[1] ? conv2dFilterGradient(convolution, x, filter, gradient) : undefined,
      wanted[2] ? sumRows("bias gradient", arriving, bias.shape) : undefined,
    ];
  },
  lower({ inputs: [x, filter, bias], outputs: [output, argmax], options: { convolution, windows } }, to) {
    const convolved = to.temporary("conv2d", convolvedShape(convolution));
    launchForward(to, convolution, { x, filter, bias, output: convolved });
    launchMaxPool2d(to, windows, convolved, output, to.isRead(argmax) ? argmax : undefined);
  },
};

const convolvedShape = ({ batch, y, x, filters }: Convolution) => [batch, y.output, x.output, filters];
