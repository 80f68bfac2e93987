// A block of the Siamese tower as one operation: batchNorm(maxPool2d(conv2d(x))), with its ReLU. The convolution's output
// is pooled in registers, batch-norm and ReLU are applied where the next block reads, and the gradient goes back through
// ReLU, batch-norm and max-pool inside the kernels of the convolution's gradients: of all that, only the pooled values,
// where the maxima were, and the gradient of the block's output are ever stored.
import addShader from "../../shaders/add.forward.wgsl";
import widenShader from "../../shaders/widen.forward.wgsl";
import { choose, keyOf } from "../tape/choose.ts";
import { threads, vec4Threads } from "../tape/grid.ts";
import { imagesWithin, Parts } from "../tape/parts.ts";
import type { Backward, Node, Tape } from "../tape/tape.ts";
import { Storage, Tensor } from "../tape/tensor.ts";
import type { BatchNormOptions } from "./batchNorm.ts";
import {
  type Arriving,
  type BlockShape,
  cellsOf,
  type Pooled,
  runsOf,
  type Slice,
  type Source,
  slicesOf,
} from "./blockShape.ts";
import type { Convolution } from "./convolution.ts";
import { type Form, launchConvPool, launchConvPoolFilterGradient, launchConvPoolInputGradient } from "./convPool.ts";
import * as norm from "./normalised.ts";
import { scaledFrom } from "./scaleBytes.ts";
import type { Axis } from "./windows.ts";
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
  const made = (tensor: Tensor, operation: string): Node | undefined =>
    tape.nodes.find((node) => node.output === tensor && node.operation === operation);
  const pool = made(x, "maxPool2d");
  const conv = pool && made(pool.inputs[0], "conv2d");
  if (!conv) return undefined;
  const { row, column } = pool.fusible as { row: Axis; column: Axis };
  const convolution = conv.fusible as Convolution;
  const halves = [row, column].every((a) => a.size === 2 && a.stride === 2 && a.before === 0);
  const same = [convolution.y, convolution.x].every((a) => a.size === 3 && a.stride === 1 && a.output === a.input);
  const valid = row.output === convolution.y.output >> 1 && column.output === convolution.x.output >> 1;
  if (!halves || !same || !valid || convolution.filters % 4 !== 0) return undefined;

  const shape: BlockShape = {
    ...{ images: convolution.batch, height: convolution.y.input, width: convolution.x.input },
    ...{ channels: convolution.channels, filters: convolution.filters },
    ...{ pooledY: row.output, pooledX: column.output },
    ...{ cellsY: Math.ceil(row.output / 2), cellsX: Math.ceil(column.output / 2) },
    ...{ group: convolution.batch / groups, relu: options.activation === "relu" },
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
  { x, filter, bias }: Operands,
  options: BatchNormOptions,
  inputGradientApart: (gradient: Tensor) => Tensor | undefined,
): Tensor {
  const { tape } = x;
  const { gamma, beta, training = true } = options;
  const { images, filters, pooledY, pooledX } = shape;
  const source = sourceOf(x);
  // Software adapters pay for workgroup memory and its barriers more than it gains: nothing there to time.
  const gpu = !tape.device.adapter.software;
  const half = tape.options.storage === "float16";
  const values = Parts.temporary(tape, "pooled", images, pooledY * pooledX * filters, half ? "f16" : "f32");
  const argmax = Parts.temporary(tape, "argmax", images, (cellsOf(shape) * filters) / 4, "u32", values.images);
  const kept = (slice: Slice): Pooled => ({ values: values.at(slice.first), argmax: argmax.at(slice.first), half });
  const fits = winograd.fits(shape, source);
  const fast = { fits, preferred: winograd.prefers(tape, shape) };
  const workspace = fits ? imagesWithin(tape, images, winograd.bytesOfImage(shape), winograd.mostBytes) : images;
  // A first block is cheap to compute (few channels) and large to keep.
  const remakes = tape.options.recompute === true && source.affine === undefined;
  const remade = remakes ? imagesWithin(tape, images, values.storages[0].bytes / values.images, mostRemade) : images;
  const each = Math.min(workspace, values.images, source.images, remade);
  const key = (what: string, slice: Slice) => {
    const { height, width, channels } = shape;
    const { dtype } = source;
    return keyOf(`block.${what}`, {
      images: slice.images,
      x: [height, width, channels],
      filters,
      dtype: +(dtype === "f16"),
    });
  };

  // Forward: pooled values with their moments, slice by slice, then the statistics of the whole batch.
  const runs = runsOf(tape, images, filters / 4, cellsOf(shape));
  const partial = training ? new Storage("temporary", "moments", images * runs.RUNS * 3 * filters, "f32") : undefined;
  const forward = (slice: Slice, pooled: Pooled, moments?: Storage): Tensor | undefined => {
    const operands = { x: source.at(slice), filter, bias, pooled, partial: moments };
    return choose<Tensor | undefined>(tape, key("forward", slice), {
      winograd: {
        ...fast,
        launch() {
          const transformed = winograd.launchInputTransform(tape, shape, slice, source, operands.x);
          winograd.launchPool(tape, shape, slice, { ...operands, transformed }, runs);
          return transformed;
        },
      },
      shared: { fits: gpu, launch: () => launchConvPool(tape, shape, slice, source, operands, runs, "shared") },
      direct: { launch: () => launchConvPool(tape, shape, slice, source, operands, runs, "tiled") },
    });
  };
  const again = (slice: Slice): Pooled => {
    if (!remakes) return kept(slice);
    const part = (name: string, elements: number, dtype: "f32" | "f16" | "u32") => ({
      ...{ storage: new Storage("temporary", name, slice.images * elements, dtype), first: 0 },
    });
    const pooled: Pooled = {
      values: part("pooled again", pooledY * pooledX * filters, half ? "f16" : "f32"),
      argmax: part("argmax again", (cellsOf(shape) * filters) / 4, "u32"),
      half,
    };
    forward(slice, pooled);
    return pooled;
  };
  const transformedInputs = new Map<number, Tensor | undefined>();
  const keep = fits && images * winograd.bytesOfImage(shape) <= mostKept;
  for (const slice of slicesOf(images, each)) {
    const transformed = forward(slice, kept(slice), partial);
    if (keep) transformedInputs.set(slice.first, transformed);
  }
  const affine = partial
    ? norm.launchAffine(tape, shape, { partial, runs: runs.RUNS }, options)
    : norm.launchMovingAffine(tape, filters, options);

  const result: Source = {
    at: (slice, pass) => (pass === "again" ? again(slice).values : values.at(slice.first)),
    images: values.images,
    ...{ dtype: half ? "f16" : "f32", affine, relu: shape.relu },
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
    const gradients = (slice: Slice): { filter?: Tensor; sums: boolean } => {
      const tensors = { x: source.at(slice, "again"), pooled: again(slice), arriving, norm: found.norm };
      const transformed = transformedInputs.get(slice.first);
      const direct = (form: Form) => {
        if (leaving) launchConvPoolInputGradient(tape, shape, slice, { ...tensors, filter, leaving }, form);
        const gradient = wanted[1]
          ? launchConvPoolFilterGradient(tape, shape, slice, source, tensors, form)
          : undefined;
        return { sums: false, filter: gradient };
      };
      return choose<{ filter?: Tensor; sums: boolean }>(tape, key("gradients", slice), {
        winograd: {
          ...fast,
          launch() {
            const arrived = winograd.launchOutputGradient(tape, shape, slice, tensors);
            const x = transformed ?? winograd.launchInputTransform(tape, shape, slice, source, tensors.x);
            const through = { x: tensors.x, gradient: arrived, filter, leaving: leaving! };
            if (leaving) winograd.launchInputGradient(tape, shape, slice, source, through);
            return {
              sums: true,
              filter: wanted[1]
                ? winograd.launchSliceFilterGradient(tape, shape, slice, { x, gradient: arrived })
                : undefined,
            };
          },
        },
        shared: { fits: gpu, launch: () => direct("shared") },
        direct: { launch: () => direct("tiled") },
      });
    };
    let filterGradient: Tensor | undefined;
    let summed = true;
    for (const slice of slicesOf(images, Math.min(each, arriving.parts.images, leaving?.parts.images ?? images))) {
      const part = gradients(slice);
      summed &&= part.sums;
      filterGradient = filterGradient && part.filter ? sumOf(tape, filterGradient, part.filter) : part.filter;
    }
    const left = leaving && gradientTensor(x, summed ? leaving : { ...leaving, sums: undefined });
    const inputGradient = left ?? (wanted[0] ? inputGradientApart(gradient) : undefined);
    return [inputGradient, filterGradient, ...(bias ? [found.bias] : []), found.gamma, found.beta];
  };
  return tape.record("block", bias ? [x, filter, bias, gamma, beta] : [x, filter, gamma, beta], output, backward);
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

function sumOf(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const output = tape.temporary("filter gradient", a.shape);
  const { groups, constants } = vec4Threads(a.size);
  tape.launch(addShader, { a, b, output }, constants, groups);
  return output;
}
