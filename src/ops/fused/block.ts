// A block of the Siamese tower as one operation: batchNorm(maxPool2d(conv2d(x))), with its ReLU. The convolution's output
// is pooled in registers, batch-norm and ReLU are applied where the next block reads, and the gradient goes back through
// ReLU, batch-norm and max-pool inside the kernels of the convolution's gradients: of all that, only the pooled values,
// where the maxima were, and the gradient of the block's output are ever stored.
import widenShader from "../../../shaders/widen.forward.wgsl";
import { choose, keyOf } from "../../tape/choose.ts";
import { launchSum } from "../../tape/gradients.ts";
import { threads } from "../../tape/grid.ts";
import { imagesWithin, Parts, type Place } from "../../tape/parts.ts";
import type { Backward, Tape } from "../../tape/tape.ts";
import { Storage, Tensor } from "../../tape/tensor.ts";
import { scaledFrom } from "../images/scaleBytes.ts";
import type { Convolution } from "../kernels/convolutionShape.ts";
import type { Axis } from "../kernels/windowShape.ts";
import type { BatchNormOptions } from "./batchNormOptions.ts";
import {
  type Arriving,
  type BlockShape,
  cellsOf,
  type Norm,
  type Pooled,
  runsOf,
  type Slice,
  type Source,
  slicesOf,
} from "./blockShape.ts";
import { type Form, launchConvPool, launchConvPoolFilterGradient, launchConvPoolInputGradient } from "./convPool.ts";
import * as norm from "./normalised.ts";
import * as winograd from "./winogradBlock.ts";

/** Bytes of transformed inputs that are kept for the backward pass instead of being made again. */
const mostKept = 64 * 2 ** 20;

/** Bytes of pooled values that are made again at a time. */
const mostRemade = 64 * 2 ** 20;

interface Operands {
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly bias?: Tensor;
}

/**
 * Where `x` is a 2 x 2 max-pool of a 3 x 3 convolution with stride 1 and SAME padding, and nothing keeps them from being
 * one operation with the batch-norm: that operation's output. Else nothing.
 */
export function fuseBlock(
  x: Tensor,
  options: BatchNormOptions,
  groups: number,
  backwardApart: () => Backward,
): Tensor | undefined {
  const { tape } = x;
  const pool = tape.madeBy("maxPool2d", x);
  const conv = pool && tape.madeBy("conv2d", pool.inputs[0]);
  if (!conv) return undefined;
  const { row, column } = pool.fusible as { row: Axis; column: Axis };
  const convolution = conv.fusible as Convolution;
  const halves = [row, column].every((a) => a.size === 2 && a.stride === 2 && a.before === 0);
  const same = [convolution.y, convolution.x].every((a) => a.size === 3 && a.stride === 1 && a.output === a.input);
  const valid = row.output === convolution.y.output >> 1 && column.output === convolution.x.output >> 1;
  if (!halves || !same || !valid || convolution.filters % 4 !== 0) return undefined;

  const shape: BlockShape = {
    images: convolution.batch,
    height: convolution.y.input,
    width: convolution.x.input,
    channels: convolution.channels,
    filters: convolution.filters,
    pooledY: row.output,
    pooledX: column.output,
    cellsY: Math.ceil(row.output / 2),
    cellsX: Math.ceil(column.output / 2),
    group: convolution.batch / groups,
    relu: options.activation === "relu",
  };
  const [input, filter, bias] = conv.inputs;
  const apart = (gradient: Tensor) => {
    const [fromNorm] = backwardApart()(gradient, [true, false, false]);
    const [fromPool] = pool.backward(fromNorm!, [true]);
    return conv.backward(fromPool!, [true, false, false])[0];
  };
  return block(shape, { x: input, filter, bias }, options, apart);
}

/**
 * `inputGradientApart`: d loss / d x by the chain rules of the three operations, for channels that come in no vec4s: a
 * block behind a picture, whose gradient hardly anybody wants.
 */
function block(
  shape: BlockShape,
  operands: Operands,
  options: BatchNormOptions,
  inputGradientApart: (gradient: Tensor) => Tensor | undefined,
): Tensor {
  const { x, filter, bias } = operands;
  const { tape } = x;
  const { gamma, beta, training = true } = options;
  const { images, filters, pooledY, pooledX } = shape;
  const layout = layoutFor(tape, shape, operands);
  const { source, values, runs, each } = layout;

  // Pooled values with their moments, slice by slice, then the statistics of the whole batch.
  const partial = training ? new Storage("temporary", "moments", images * runs.RUNS * 3 * filters, "f32") : undefined;
  const transformedInputs = new Map<number, Tensor | undefined>();
  for (const slice of slicesOf(images, each)) {
    const transformed = launchForward(layout, slice, keptPooled(layout, slice), partial);
    if (layout.keepsTransformed) transformedInputs.set(slice.first, transformed);
  }
  const affine = partial
    ? norm.launchAffine(tape, shape, { partial, runs: runs.RUNS }, options)
    : norm.launchMovingAffine(tape, filters, options);

  const result: Source = {
    at: (slice, pass) => (pass === "again" ? pooledAgain(layout, slice).values : values.at(slice.first)),
    images: values.images,
    dtype: layout.half ? "f16" : "f32",
    affine,
    relu: shape.relu,
  };
  const output = tape.deferred("batch-norm", [images, pooledY, pooledX, filters], (storage) =>
    norm.launchApply(tape, shape, result, storage),
  );
  norm.normalised.set(output, result);

  const backward: Backward = (gradient, wanted) => {
    const arriving = norm.arrivals.get(gradient) ?? { parts: Parts.whole(gradient.storage, images), scale: 1 };
    const sums = arriving.sums ?? norm.launchGradientSums(tape, shape, result, arriving);
    const found = norm.launchCoefficients(tape, shape, affine, sums, training);
    const leaving = wanted[0] && shape.channels % 4 === 0 ? leavingFor(tape, shape, source) : undefined;
    let filterGradient: Tensor | undefined;
    let summed = true;
    for (const slice of slicesOf(images, Math.min(each, arriving.parts.images, leaving?.parts.images ?? images))) {
      const tensors = { x: source.at(slice, "again"), pooled: pooledAgain(layout, slice), arriving, norm: found.norm };
      const transformed = transformedInputs.get(slice.first);
      const part = launchGradients(layout, slice, { ...tensors, transformed, leaving }, wanted[1]);
      summed &&= part.sums;
      filterGradient = filterGradient && part.filter ? launchSum(tape, filterGradient, part.filter) : part.filter;
    }
    const left = leaving && gradientTensor(x, summed ? leaving : { ...leaving, sums: undefined });
    const inputGradient = left ?? (wanted[0] ? inputGradientApart(gradient) : undefined);
    return [inputGradient, filterGradient, ...(bias ? [found.bias] : []), found.gamma, found.beta];
  };
  return tape.record("block", bias ? [x, filter, bias, gamma, beta] : [x, filter, gamma, beta], output, backward);
}

/** What a block keeps, where, and in which slices of the batch it is computed. */
interface Layout extends Operands {
  readonly tape: Tape;
  readonly shape: BlockShape;
  readonly source: Source;
  readonly values: Parts;
  readonly argmax: Parts;
  readonly half: boolean;
  /** Whether the pooled values are made again in the backward pass. */
  readonly remakes: boolean;
  /** Whether transformed inputs are kept for the backward pass, where Winograd is taken. */
  readonly keepsTransformed: boolean;
  /** Images of a slice. */
  readonly each: number;
  /** How the cells of an image are divided among threads. */
  readonly runs: { readonly RUN: number; readonly RUNS: number };
}

function layoutFor(tape: Tape, shape: BlockShape, operands: Operands): Layout {
  const { images, filters, pooledY, pooledX } = shape;
  const source = sourceOf(operands.x);
  const half = tape.options.storage === "float16";
  const values = Parts.temporary(tape, "pooled", images, pooledY * pooledX * filters, half ? "f16" : "f32");
  const argmax = Parts.temporary(tape, "argmax", images, (cellsOf(shape) * filters) / 4, "u32", values.images);
  const fits = winograd.fits(shape, source);
  const workspace = fits ? imagesWithin(tape, images, winograd.bytesOfImage(shape), winograd.mostBytes) : images;
  // A first block is cheap to compute (few channels) and large to keep.
  const remakes = tape.options.recompute === true && source.affine === undefined;
  const remade = remakes ? imagesWithin(tape, images, values.storages[0].bytes / values.images, mostRemade) : images;
  return {
    ...operands,
    tape,
    shape,
    source,
    values,
    argmax,
    half,
    remakes,
    keepsTransformed: fits && images * winograd.bytesOfImage(shape) <= mostKept,
    each: Math.min(workspace, values.images, source.images, remade),
    runs: runsOf(tape, images, filters / 4, cellsOf(shape)),
  };
}

/** The algorithms that compute a slice's forward pass, or its gradients. */
function chooseFor<T>(
  { tape, shape, source }: Layout,
  what: string,
  slice: Slice,
  launch: { winograd(): T; direct(form: Form): T },
): T {
  const { height, width, channels, filters } = shape;
  const { software } = tape.device.adapter;
  const extents = { images: slice.images, x: [height, width, channels], filters, dtype: +(source.dtype === "f16") };
  return choose<T>(tape, keyOf(`block.${what}`, extents), {
    winograd: {
      fits: winograd.fits(shape, source),
      preferred: winograd.prefers(tape, shape),
      launch: () => launch.winograd(),
    },
    // Either has nothing to time on the other's adapters: software pays for workgroup memory and its barriers more than
    // they gain, and on a GPU the tiled form's 168 to 256 registers leave only 2 or 3 waves on a SIMD to hide its loads.
    shared: { fits: !software, launch: () => launch.direct("shared") },
    direct: { fits: software, launch: () => launch.direct("tiled") },
  });
}

/** Writes a slice's pooled values, and their moments where `partial` is to take them; the transformed input if there is one. */
function launchForward(layout: Layout, slice: Slice, pooled: Pooled, partial?: Storage): Tensor | undefined {
  const { tape, shape, source, filter, bias, runs } = layout;
  const operands = { x: source.at(slice), filter, bias, pooled, partial };
  return chooseFor<Tensor | undefined>(layout, "forward", slice, {
    winograd() {
      const transformed = winograd.launchInputTransform(tape, shape, slice, source, operands.x);
      winograd.launchPool(tape, shape, slice, { ...operands, transformed }, runs);
      return transformed;
    },
    direct(form) {
      launchConvPool(tape, shape, slice, source, operands, runs, form);
      return undefined;
    },
  });
}

const keptPooled = ({ values, argmax, half }: Layout, { first }: Slice): Pooled => ({
  values: values.at(first),
  argmax: argmax.at(first),
  half,
});

/** A slice's pooled values in the backward pass. */
function pooledAgain(layout: Layout, slice: Slice): Pooled {
  const { shape, half, remakes } = layout;
  if (!remakes) return keptPooled(layout, slice);
  const part = (name: string, elements: number, dtype: "f32" | "f16" | "u32") => ({
    storage: new Storage("temporary", name, slice.images * elements, dtype),
    first: 0,
  });
  const pooled: Pooled = {
    values: part("pooled again", shape.pooledY * shape.pooledX * shape.filters, half ? "f16" : "f32"),
    argmax: part("argmax again", (cellsOf(shape) * shape.filters) / 4, "u32"),
    half,
  };
  launchForward(layout, slice, pooled);
  return pooled;
}

/**
 * Writes a slice's input gradient to `leaving` and returns its filter gradient, each where wanted; whether the sums of
 * `leaving` have been taken on the way.
 */
function launchGradients(
  layout: Layout,
  slice: Slice,
  tensors: { x: Place; pooled: Pooled; arriving: Arriving; norm: Norm; transformed?: Tensor; leaving?: Arriving },
  wantsFilter: boolean,
): { filter?: Tensor; sums: boolean } {
  const { tape, shape, source, filter } = layout;
  const { x, leaving, transformed } = tensors;
  return chooseFor<{ filter?: Tensor; sums: boolean }>(layout, "gradients", slice, {
    winograd() {
      const gradient = winograd.launchOutputGradient(tape, shape, slice, tensors);
      const input = transformed ?? winograd.launchInputTransform(tape, shape, slice, source, x);
      if (leaving) winograd.launchInputGradient(tape, shape, slice, source, { x, gradient, filter, leaving });
      const sums = { x: input, gradient };
      return {
        sums: true,
        filter: wantsFilter ? winograd.launchSliceFilterGradient(tape, shape, slice, sums) : undefined,
      };
    },
    direct(form) {
      if (leaving) launchConvPoolInputGradient(tape, shape, slice, { ...tensors, filter, leaving }, form);
      return {
        sums: false,
        filter: wantsFilter ? launchConvPoolFilterGradient(tape, shape, slice, source, tensors, form) : undefined,
      };
    },
  });
}

function sourceOf(x: Tensor): Source {
  const images = x.shape[0];
  const bytes = scaledFrom.get(x);
  const whole = (storage: Storage) => (slice: Slice) => ({ storage, first: slice.first });
  if (bytes) return { at: whole(bytes.storage), images, dtype: "u8", relu: false };
  return norm.normalised.get(x) ?? { at: (slice) => whole(x.storage)(slice), images, dtype: "f32", relu: false };
}

/** Where the gradient of x goes, and the sums for the batch-norm in front of it where the kernel can take them. */
function leavingFor(tape: Tape, shape: BlockShape, source: Source): Arriving {
  const { images, height, width, channels } = shape;
  const half = tape.options.storage === "float16" && source.affine !== undefined;
  const parts = Parts.temporary(tape, "gradient", images, height * width * channels, half ? "f16" : "f32");
  const tiles = Math.ceil(height / 4) * Math.ceil(width / 4);
  return {
    parts,
    // The loss is a mean over the batch, so that its gradients shrink as the batch grows: brought to where float16 has
    // most room on both sides, values are still right when 200 times smaller or larger than usual.
    scale: half ? 256 * 2 ** Math.ceil(Math.log2(images)) : 1,
    sums: source.affine ? norm.sumsFor(tape, images, channels, tiles) : undefined,
  };
}

/** The gradient of x as a tensor: the block that x comes from reads it as it is, others get it whole and in float32. */
function gradientTensor(x: Tensor, leaving: Arriving): Tensor {
  const { tape, shape } = x;
  const { storages, dtype } = leaving.parts;
  const gradient =
    storages.length === 1 && dtype === "f32"
      ? new Tensor(tape, shape, storages[0], "gradient")
      : tape.deferred("gradient", shape, (storage) => launchWiden(tape, x.size / shape[0], leaving, storage));
  norm.arrivals.set(gradient, leaving);
  return gradient;
}

function launchWiden(tape: Tape, elements: number, { parts, scale }: Arriving, output: Storage): void {
  parts.storages.forEach((x, i) => {
    const size = x.dtype === "f16" ? 2 : 4;
    const { groups, constants } = threads(x.bytes / size / 2);
    const sizes = { OFFSET: (i * parts.images * elements) / 2, FACTOR: 1 / scale, HALF: x.dtype === "f16" ? 1 : 0 };
    tape.launch(widenShader, { x, output }, { ...constants, ...sizes }, groups);
  });
}
