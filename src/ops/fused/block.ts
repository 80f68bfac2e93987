// A block of the Siamese tower as one operation: batchNorm(maxPool2d(conv2d(x))), with its ReLU. The convolution's
// output is pooled in registers. Batch-norm and ReLU are applied when the next block reads. The kernels of the
// convolution's gradients take the gradient back through ReLU, batch-norm and max-pool. Only the pooled values, the
// positions of the maxima and the gradient of the block's output are stored.

import { gradients } from "../../tape/gradients.ts";
import type { Node, Operation } from "../../tape/graph.ts";
import type { Lowering } from "../../tape/lower.ts";
import { type Candidate, choose, keyOf } from "../../tape/lowering/choose.ts";
import { imagesWithin, Parts, type Place } from "../../tape/lowering/parts.ts";
import { Storage } from "../../tape/lowering/storage.ts";
import { launchSum } from "../../tape/sum.ts";
import type { Tensor } from "../../tape/tensor.ts";
import { columnSum } from "../kernels/columnSum.ts";
import {
  type Arriving,
  type BlockShape,
  cellsOf,
  type Norm,
  type Normalization,
  type Pooled,
  runsOf,
  type Slice,
  type Source,
  slicesOf,
} from "./blockShape.ts";
import { bytesInFirstLoad } from "./bytesInFirstLoad.ts";
import { type Form, launchConvPool, launchConvPoolFilterGradient, launchConvPoolInputGradient } from "./convPool.ts";
import * as norm from "./normalized.ts";
import * as winograd from "./winogradBlock.ts";

/** The most bytes of transformed inputs kept for the backward pass; more are recomputed. */
const mostKept = 64 * 2 ** 20;

/** The most bytes of pooled values recomputed at a time. */
const mostRecomputed = 64 * 2 ** 20;

export interface BlockOptions {
  readonly shape: BlockShape;
  readonly normalization: Normalization;
  /** Whether the third input is the convolution's bias. */
  readonly bias: boolean;
  /** The three operations that it replaces. */
  readonly apart: readonly Node[];
}

/** Inputs: x, the filter, optionally the bias, gamma, beta, and optionally the moving mean and variance. */
export const blockOperation: Operation<BlockOptions> = {
  name: "block",
  rules: [bytesInFirstLoad],
  lasting: (node) => node.options.normalization.training && tensorsOf(node).mean !== undefined,
  gradient(node, gradient, wanted) {
    const { inputs, options } = node;
    const { x, filter, bias, gamma, beta } = tensorsOf(node);
    const direct = options.shape.channels % 4 === 0;
    const outputs = [x, filter, ...(bias ? [bias] : []), gamma, beta].map(({ shape, name }) => ({
      shape,
      name: `gradient of ${name}`,
    }));
    const wants = { input: wanted[0] && direct, filter: wanted[1] };
    const reads = [...inputs, node.outputs[0], gradient]; // the gradient uses what lowering the output left
    const found = gradient.tape.recordAll(gradientOperation, reads, { forward: node, wants }, outputs);
    if (!wanted[0] || direct) return found;
    return [inputGradientApart(node, gradient), ...found.slice(1)];
  },
  lower: (node, to) => lowerBlock(to, node),
};

/** The inputs by name. */
function tensorsOf({ inputs, options }: Pick<Node<BlockOptions>, "inputs" | "options">) {
  const [x, filter, ...rest] = inputs;
  const [bias, [gamma, beta, mean, variance]] = options.bias ? [rest[0], rest.slice(1)] : [undefined, rest];
  return { x, filter, bias, gamma, beta, mean, variance };
}

/**
 * d loss / d x by the three operations themselves, for a number of channels that is no multiple of 4: a block that
 * reads pictures, whose gradient is rarely wanted. The operations are recorded again, except for moving averages, which
 * were updated already.
 */
function inputGradientApart(node: Node<BlockOptions>, gradient: Tensor): Tensor {
  const { tape } = gradient;
  const { x, filter, bias, gamma, beta, mean, variance } = tensorsOf(node);
  const { apart, normalization } = node.options;
  const again = ({ operation, options, outputs }: Node, inputs: readonly Tensor[]) =>
    tape.recordAll(operation, inputs, options, outputs)[0];
  const [conv, pool, batchNorm] = apart;
  const pooled = again(pool, [again(conv, bias ? [x, filter, bias] : [x, filter])]);
  const averages = normalization.training ? [] : [mean, variance];
  return gradients(again(batchNorm, [pooled, gamma, beta, ...averages]), [x], gradient)[0];
}

/** What lowering a block leaves for lowering its gradient. */
interface Left {
  readonly layout: Layout;
  readonly result: Source;
  readonly affine: Storage;
  readonly transformed: ReadonlyMap<number, Tensor | undefined>;
}

function lowerBlock(to: Lowering, node: Node<BlockOptions>): Left {
  const { shape, normalization } = node.options;
  const tensors = tensorsOf(node);
  const { x, filter, bias } = tensors;
  const { images, filters } = shape;
  const layout = layoutFor(to, shape, { x, filter, bias });
  const { values, runs, each } = layout;

  // Pooled values with their moments, slice by slice, then the statistics of the whole batch.
  const { training } = normalization;
  const partial = training ? new Storage("temporary", "moments", images * runs.RUNS * 4 * filters, "f32") : undefined;
  const transformed = new Map<number, Tensor | undefined>();
  for (const slice of slicesOf(images, each)) {
    const input = launchForward(layout, slice, keptPooled(layout, slice), partial);
    if (layout.keepsTransformed) transformed.set(slice.first, input);
  }
  const affine = partial
    ? norm.launchAffine(to, shape, { partial, runs: runs.RUNS }, tensors, normalization)
    : norm.launchMovingAffine(to, filters, tensors, normalization.epsilon);

  const result: Source = {
    at: (slice, pass) => (pass === "again" ? recomputedPooled(layout, slice).values : values.at(slice.first)),
    images: values.images,
    dtype: layout.half ? "f16" : "f32",
    affine,
    relu: shape.relu,
  };
  to.placeAs(norm.normalizedWhenRead, node.outputs[0], { shape, source: result });
  return { layout, result, affine, transformed };
}

const gradientOperation: Operation<{
  readonly forward: Node<BlockOptions>;
  readonly wants: { readonly input: boolean; readonly filter: boolean };
}> = {
  name: "block gradient",
  lower({ inputs, outputs, options: { forward, wants } }, to) {
    const { layout, result, affine, transformed } = to.leftBy<Left>(forward as Node);
    const { shape, source, each } = layout;
    const { images } = shape;
    const gradient = inputs[inputs.length - 1];
    const arriving = to.as(norm.gradientInParts, gradient) ?? {
      parts: Parts.whole(to.storage(gradient), images),
      scale: 1,
    };
    const sums = arriving.sums ?? norm.launchGradientSums(to, shape, result, arriving);
    const { training } = forward.options.normalization;
    const found = norm.launchCoefficients(to, shape, affine, sums, training);
    const leaving = wants.input ? leavingFor(to, shape, source) : undefined;
    let filterGradient: Tensor | undefined;
    let summed = true;
    for (const slice of slicesOf(images, Math.min(each, arriving.parts.images, leaving?.parts.images ?? images))) {
      const tensors = {
        x: source.at(slice, "again"),
        pooled: recomputedPooled(layout, slice),
        arriving,
        norm: found.norm,
      };
      const input = transformed.get(slice.first);
      const part = launchGradients(layout, slice, { ...tensors, transformed: input, leaving }, wants.filter);
      summed &&= part.sums;
      filterGradient = filterGradient && part.filter ? launchSum(to, filterGradient, part.filter) : part.filter;
    }
    const [ofInput, ofFilter, ...others] = outputs;
    if (leaving) to.placeAs(norm.gradientInParts, ofInput, summed ? leaving : { ...leaving, sums: undefined });
    if (filterGradient) to.place(ofFilter, to.storage(filterGradient));
    const ofNorm = [...(forward.options.bias ? [found.bias] : []), found.gamma, found.beta];
    others.forEach((output, i) => {
      to.place(output, to.storage(ofNorm[i]));
    });
  },
};

interface Operands {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias?: Tensor;
}

/** What a block keeps, where, and how its batch is split into slices. */
interface Layout extends Operands {
  readonly to: Lowering;
  readonly shape: BlockShape;
  readonly source: Source;
  readonly values: Parts;
  readonly argmax: Parts;
  readonly half: boolean;
  /** Whether the pooled values are recomputed in the backward pass. */
  readonly recomputes: boolean;
  /** Whether Winograd's transformed inputs are kept for the backward pass. */
  readonly keepsTransformed: boolean;
  /** Images per slice. */
  readonly each: number;
  /** How the cells of an image are split among threads. */
  readonly runs: { readonly RUN: number; readonly RUNS: number };
}

function layoutFor(to: Lowering, shape: BlockShape, operands: Operands): Layout {
  const { images, filters, pooledY, pooledX } = shape;
  const source = sourceOf(to, operands.x);
  const half = to.options.storage === "float16";
  const values = Parts.temporary(to, "pooled", images, pooledY * pooledX * filters, half ? "f16" : "f32");
  const argmax = Parts.temporary(to, "argmax", images, (cellsOf(shape) * filters) / 4, "u32", values.images);
  for (const storage of argmax.storages) storage.mask = windowsInside(shape);
  const fits = !to.device.portable && winograd.fits(shape, source);
  const workspace = fits ? imagesWithin(to, images, winograd.bytesOfImage(shape), winograd.mostBytes) : images;
  // A first block is cheap to compute (few channels) and large to store.
  const recomputes = to.options.recompute === true && source.affine === undefined;
  const recomputed = recomputes
    ? imagesWithin(to, images, values.storages[0].bytes / values.images, mostRecomputed)
    : images;
  return {
    ...operands,
    to,
    shape,
    source,
    values,
    argmax,
    half,
    recomputes,
    keepsTransformed: fits && images * winograd.bytesOfImage(shape) <= mostKept,
    each: Math.min(workspace, values.images, source.images, recomputed),
    runs: runsOf(to, images, filters / 4, cellsOf(shape)),
  };
}

/** The candidate algorithms for a slice's forward pass or its gradients. */
function chooseFor<T>(
  { to, shape, source, half }: Layout,
  what: string,
  slice: Slice,
  launch: { winograd(): T; direct(form: Form): T },
  results: (made: T) => readonly Tensor[],
): T {
  const { height, width, channels, filters } = shape;
  const { software } = to.device.adapter;
  const extents = { images: slice.images, x: [height, width, channels], filters, dtype: +(source.dtype === "f16") };
  const candidates: Record<string, Candidate<T>> = {
    winograd: {
      fits: winograd.fits(shape, source),
      preferred: winograd.prefers(to, shape),
      launch: () => launch.winograd(),
      half,
    },
    // Each is no candidate on the other's adapters: software pays more for workgroup memory and its barriers than they
    // gain, and on a GPU the tiled form's 168 to 256 registers leave only 2 or 3 waves on a SIMD to hide its loads.
    shared: { fits: !software, launch: () => launch.direct("shared"), half },
    direct: { portable: true, fits: software, launch: () => launch.direct("tiled") },
  };
  return choose<T>(to, keyOf(`block.${what}`, extents), candidates, results);
}

/** Writes a slice's pooled values, and their moments if `partial` is given; returns the transformed input if any. */
function launchForward(layout: Layout, slice: Slice, pooled: Pooled, partial?: Storage): Tensor | undefined {
  const { to, shape, source, filter, bias, runs } = layout;
  const operands = { x: source.at(slice), filter, bias, pooled, partial };
  const ways = {
    winograd() {
      const transformed = winograd.launchInputTransform(to, shape, slice, source, operands.x);
      winograd.launchPool(to, shape, slice, { ...operands, transformed }, runs);
      return transformed;
    },
    direct(form: Form) {
      launchConvPool(to, shape, slice, source, operands, runs, form);
      return undefined;
    },
  };
  return chooseFor<Tensor | undefined>(layout, "forward", slice, ways, () => []);
}

const keptPooled = ({ values, argmax, half }: Layout, { first }: Slice): Pooled => ({
  values: values.at(first),
  argmax: argmax.at(first),
  half,
});

/** A slice's pooled values in the backward pass. */
function recomputedPooled(layout: Layout, slice: Slice): Pooled {
  const { shape, half, recomputes } = layout;
  if (!recomputes) return keptPooled(layout, slice);
  const part = (name: string, elements: number, dtype: "f32" | "f16" | "u32") => ({
    storage: new Storage("temporary", name, slice.images * elements, dtype),
    first: 0,
  });
  const pooled: Pooled = {
    values: part("recomputed pooled", shape.pooledY * shape.pooledX * shape.filters, half ? "f16" : "f32"),
    argmax: part("recomputed argmax", (cellsOf(shape) * shape.filters) / 4, "u32"),
    half,
  };
  launchForward(layout, slice, pooled);
  return pooled;
}

/**
 * Writes a slice's input gradient to `leaving` and returns its filter gradient, each if wanted, and whether the sums of
 * `leaving` were computed too.
 */
function launchGradients(
  layout: Layout,
  slice: Slice,
  tensors: { x: Place; pooled: Pooled; arriving: Arriving; norm: Norm; transformed?: Tensor; leaving?: Arriving },
  wantsFilter: boolean,
): Gradients {
  const { to, shape, source, filter } = layout;
  const { x, leaving, transformed } = tensors;
  const ways = {
    winograd() {
      const gradient = winograd.launchOutputGradient(to, shape, slice, tensors);
      const input = transformed ?? winograd.launchInputTransform(to, shape, slice, source, x);
      if (leaving) winograd.launchInputGradient(to, shape, slice, source, { x, gradient, filter, leaving });
      const sums = { x: input, gradient };
      return {
        sums: true,
        filter: wantsFilter ? winograd.launchSliceFilterGradient(to, shape, slice, sums) : undefined,
      };
    },
    direct(form: Form) {
      if (leaving) launchConvPoolInputGradient(to, shape, slice, { ...tensors, filter, leaving }, form);
      return {
        sums: false,
        filter: wantsFilter ? launchConvPoolFilterGradient(to, shape, slice, source, tensors, form) : undefined,
      };
    },
  };
  return chooseFor<Gradients>(layout, "gradients", slice, ways, (made) => comparable(layout, slice, made, leaving));
}

interface Gradients {
  readonly filter?: Tensor;
  /** Whether the sums of the input gradient were computed too. */
  readonly sums: boolean;
}

/** Both gradients with `leaving`, summed over the batch, because the algorithms split it into different parts. */
function comparable(
  { to, shape, source }: Layout,
  slice: Slice,
  { filter, sums }: Gradients,
  leaving?: Arriving,
): readonly Tensor[] {
  const found = filter ? [filter] : [];
  if (!leaving?.sums || slice.images < shape.images) return found;
  const { images, channels, height, width } = shape;
  const inFront = { ...shape, filters: channels, pooledY: height, pooledX: width, relu: source.relu };
  const { partial, runs } = sums ? leaving.sums : norm.launchGradientSums(to, inFront, source, leaving);
  const rows = images * runs;
  return [...found, columnSum(to, "gradient sums", to.view(partial, [rows, 2, channels]), rows, [2, channels])];
}

/** The bits of an element of argmax whose windows lie inside the picture. The other bits are undefined. */
const windowsInside =
  ({ filters, cellsX, cellsY, pooledY, pooledX }: BlockShape) =>
  (element: number): number => {
    const cell = Math.floor((4 * element) / filters) % (cellsX * cellsY);
    const [y, x] = [2 * Math.floor(cell / cellsX), 2 * (cell % cellsX)];
    let bits = 0;
    for (let window = 0; window < 4; window++) {
      if (y + (window >> 1) < pooledY && x + (window & 1) < pooledX) bits |= 0xff << (8 * window);
    }
    return bits;
  };

/** How a block reads its input: as bytes, through the preceding block's normalization, or unchanged. */
function sourceOf(to: Lowering, x: Tensor): Source {
  const images = x.shape[0];
  const normalized = to.as(norm.normalizedWhenRead, x);
  if (normalized) return normalized.source;
  const dtype = x.dtype === "u8" ? "u8" : "f32";
  return { at: (slice) => ({ storage: to.storage(x), first: slice.first }), images, dtype, relu: false };
}

/** Where the gradient of x is written, with the sums for the preceding batch-norm if the kernel can compute them. */
function leavingFor(to: Lowering, shape: BlockShape, source: Source): Arriving {
  const { images, height, width, channels } = shape;
  const half = to.options.storage === "float16" && source.affine !== undefined;
  const parts = Parts.temporary(to, "gradient", images, height * width * channels, half ? "f16" : "f32");
  const tiles = Math.ceil(height / 4) * Math.ceil(width / 4);
  // The loss is a mean over the batch, so its gradients shrink as the batch grows. Scaled to the middle of float16's
  // range, values stay accurate if they are 200 times smaller or larger than usual.
  const scale = half ? 256 * 2 ** Math.ceil(Math.log2(images)) : 1;
  for (const storage of parts.storages) storage.magnitude = Math.min(scale, 2 ** 14); // within float16
  return {
    parts,
    scale,
    sums: source.affine ? norm.sumsFor(to, images, channels, tiles) : undefined,
  };
}
