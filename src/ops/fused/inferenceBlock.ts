// A tower's block in inference as one operation. Batch-norm's scale and shift are known in advance, so they are
// applied, with the ReLU, to the output of the max-pool before it is stored. They are not folded into the filter: the
// max-pool lies between, and max(s x) = s max(x) holds only for positive s, while gamma may have either sign.
import foldShader from "../../../shaders/batchNorm.fold.wgsl";
import type { Node, Operation } from "../../tape/graph.ts";
import type { Lowering, Form as Lying } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import { imagesWithin, Parts } from "../../tape/lowering/parts.ts";
import { Storage } from "../../tape/lowering/storage.ts";
import type { Rule } from "../../tape/rewrite.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { blockPattern } from "./blockPattern.ts";
import {
  type BlockShape,
  cellsOf,
  type Normalization,
  runsOf,
  type Slice,
  type Source,
  slicesOf,
} from "./blockShape.ts";
import { bytesInFirstLoad } from "./bytesInFirstLoad.ts";
import { type Form, launchConvPool } from "./convPool.ts";
import { launchWiden } from "./normalized.ts";
import * as winograd from "./winogradBlock.ts";

interface Options {
  readonly shape: BlockShape;
  readonly epsilon: number;
  /** Whether the third input is the convolution's bias. */
  readonly bias: boolean;
}

export const inferenceBlock: Rule = {
  name: "inference block: conv2d + maxPool2d + batchNorm",
  saves:
    "Storing the convolution's output and the pooled values: they are pooled, normalized and rectified in registers, once, instead of at each read of the next block.",
  match(norm, graph) {
    const { training, epsilon } = norm.options as Normalization;
    if (training || graph.isDifferentiated || graph.isRead(norm.outputs[1])) return undefined;
    const found = blockPattern(norm, graph);
    if (!found) return undefined;
    const { conv, pool, shape } = found;
    const [, ...normTensors] = norm.inputs;
    const by: Node<Options> = {
      operation,
      inputs: [...conv.inputs, ...normTensors],
      options: { shape, epsilon, bias: conv.inputs.length === 3 },
      outputs: [norm.outputs[0]],
    };
    return { nodes: [conv as Node, pool, norm], by: [by as Node] };
  },
};

/** Inputs: x, the filter, optionally the bias, then gamma, beta and the moving averages. */
const operation: Operation<Options> = {
  name: "inference block",
  rules: [bytesInFirstLoad],
  lower({ inputs, outputs: [output], options: { shape, epsilon, bias } }, to) {
    const [x, filter, ...rest] = inputs;
    const folded = launchFold(to, shape.filters, bias ? rest : [undefined, ...rest], epsilon);
    const source = sourceOf(to, x);
    const { images, filters, pooledY, pooledX } = shape;
    const values = Parts.temporary(to, output.name, images, pooledY * pooledX * filters, "f32");
    const fits = !to.device.portable && winograd.fits(shape, source);
    const workspace = fits ? imagesWithin(to, images, winograd.bytesOfImage(shape), winograd.mostBytes) : images;
    for (const slice of slicesOf(images, Math.min(workspace, values.images, source.images))) {
      launchSlice(to, shape, slice, { source, filter, folded, values });
    }
    if (values.storages.length === 1) to.place(output, values.storages[0]);
    else to.placeAs(inParts, output, values);
  },
};

/** A block's output that is too large for one binding. */
const inParts: Lying<Parts> = {
  name: "in parts",
  written(to, tensor, parts) {
    const output = new Storage("temporary", tensor.name, tensor.size, "f32");
    launchWiden(to, tensor.size / tensor.shape[0], { parts, scale: 1 }, output);
    return output;
  },
};

function sourceOf(to: Lowering, x: Tensor): Source {
  const parts = to.as(inParts, x) ?? Parts.whole(to.storage(x), x.shape[0]);
  const dtype = x.dtype === "u8" ? "u8" : "f32";
  return { at: ({ first }) => parts.at(first), images: parts.images, dtype, relu: false };
}

/** [3, filters]: see the shader. It depends on parameters alone, so it is computed once. */
function launchFold(
  to: Lowering,
  filters: number,
  [bias, gamma, beta, moving_mean, moving_variance]: readonly (Tensor | undefined)[],
  EPSILON: number,
): Storage {
  const folded = new Storage("temporary", "folded batch-norm", 3 * filters, "f32");
  const norm = { gamma: gamma!, beta: beta!, moving_mean: moving_mean!, moving_variance: moving_variance! };
  const constants = { CHANNELS: filters, EPSILON, BIAS: bias ? 1 : 0 };
  to.launch(foldShader, { bias: bias ?? norm.beta, ...norm, folded }, constants, [Math.ceil(filters / 64)]);
  return folded;
}

/**
 * Where a software adapter takes as long for Winograd's three dispatches as for the direct one, which skips half of
 * each cell.
 */
const halvesCells = ({ pooledY }: BlockShape) => pooledY === 1;

function launchSlice(
  to: Lowering,
  shape: BlockShape,
  slice: Slice,
  tensors: { source: Source; filter: Tensor; folded: Storage; values: Parts },
): void {
  const { source, filter, folded, values } = tensors;
  const { height, width, channels, filters } = shape;
  const { software } = to.device.adapter;
  const x = source.at(slice);
  const runs = runsOf(to, slice.images, filters / 4, cellsOf(shape));
  const operands = { filter, folded, output: values.at(slice.first) };
  const direct = (form: Form) => launchConvPool(to, shape, slice, source, { x, ...operands }, runs, form);
  choose(to, keyOf("block.inference", { images: slice.images, x: [height, width, channels], filters }), {
    winograd: {
      fits: winograd.fits(shape, source),
      preferred: winograd.prefers(to, shape) && !(software && halvesCells(shape)),
      launch() {
        const transformed = winograd.launchInputTransform(to, shape, slice, source, x);
        winograd.launchPool(to, shape, slice, { transformed, ...operands }, runs);
      },
    },
    shared: { fits: !software, launch: () => direct("shared") },
    direct: { portable: true, fits: software, launch: () => direct("tiled") },
  });
}
