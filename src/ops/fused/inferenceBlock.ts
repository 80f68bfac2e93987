// A tower's block in inference as one operation. Batch-norm's scale and shift are known in advance, so they are
// applied, with the ReLU, to the output of the max-pool before it is stored. They are not folded into the filter: the
// max-pool lies between, and max(s x) = s max(x) holds only for positive s, while gamma may have either sign.
import foldShader from "../../../shaders/batchNorm.fold.wgsl";
import type { Operation } from "../../tape/graph.ts";
import type { Lowering, Form as Lying } from "../../tape/lower.ts";
import { choose, keyOf } from "../../tape/lowering/choose.ts";
import { imagesWithin, Parts } from "../../tape/lowering/parts.ts";
import { Storage } from "../../tape/lowering/storage.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { type BlockShape, blockShape, cellsOf, runsOf, type Slice, type Source, slicesOf } from "./blockShape.ts";
import { type Form, launchConvPool } from "./convPool.ts";
import { launchWiden } from "./normalized.ts";
import * as winograd from "./winogradBlock.ts";

export interface InferenceBlockOptions {
  readonly shape: BlockShape;
  readonly epsilon: number;
  /** Whether the third input is the convolution's bias. */
  readonly bias: boolean;
}

/**
 * Records relu(batchNorm(maxPool2d(conv2d(x)))) of moving averages: 3 x 3 filters, a multiple of 4 of them, SAME padding
 * and 2 x 2 windows. It is how inference networks record a block; what other networks record, a rule finds (blockRules.ts).
 */
export function inferenceBlock(x: Tensor, filter: Tensor, bias: Tensor, norm: InferenceNorm): Tensor {
  const [images, height, width] = x.shape;
  const shape = blockShape([images, height, width], filter.shape, { group: images, relu: true });
  const { gamma, beta, moving, epsilon } = norm;
  const inputs = [x, filter, bias, gamma, beta, moving.mean, moving.variance];
  const { pooledY, pooledX, filters } = shape;
  const options = { shape, epsilon, bias: true };
  return x.tape.record(inferenceBlockOperation, inputs, options, [images, pooledY, pooledX, filters]);
}

/** A batch-norm by its moving averages. */
export interface InferenceNorm {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly epsilon: number;
  readonly moving: { readonly mean: Tensor; readonly variance: Tensor };
}

/** Inputs: x, the filter, optionally the bias, then gamma, beta and the moving averages. */
export const inferenceBlockOperation: Operation<InferenceBlockOptions> = {
  name: "inference block",
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
  return { at: ({ first }) => parts.at(first), images: parts.images, dtype: "f32", relu: false };
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
 * Where a software adapter takes as long for Winograd's three dispatches as for the direct one: it skips half of each
 * cell, or the cells of the whole batch fill only half of a product's tile and its filters half of the columns.
 */
const asFastDirect = (shape: BlockShape, { images }: Slice) =>
  shape.pooledY === 1 || (images * cellsOf(shape) <= 4 && shape.filters <= 32);

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
      preferred: winograd.prefers(to, shape) && !(software && asFastDirect(shape, slice)),
      launch() {
        const transformed = winograd.launchInputTransform(to, shape, slice, source, x);
        winograd.launchPool(to, shape, slice, { transformed, ...operands }, runs);
      },
    },
    shared: { fits: !software, launch: () => direct("shared") },
    direct: { portable: true, fits: software, launch: () => direct("tiled") },
  });
}
