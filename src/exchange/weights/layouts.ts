// The layout and precision of tensors in other frameworks.
import { TwingradError } from "../../errors.ts";
import type { Safetensors, StoredTensor } from "../../formats/safetensors.ts";
import { float32Of16 } from "./half.ts";

/** A framework with known names and layouts of weights. */
export type Framework = "pytorch" | "keras" | "twingrad";
/** All known frameworks. */
export const frameworks = ["pytorch", "keras", "twingrad"] as const satisfies readonly Framework[];

/** Permutes axes: axis i of the result is axis `axes[i]` of the source. */
export function permuted(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const extents = axes.map((axis) => shape[axis]);
  const steps = axes.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  const index = new Array<number>(axes.length).fill(0);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = values[from];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < extents[axis]) break;
      from -= steps[axis] * extents[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/** A parameter's layouts here and in other frameworks. */
export interface Layout {
  /** Twingrad's shape: HWIO for filters, [inputs, outputs] for dense layers. */
  readonly shape: readonly number[];
  /** The same with the dense layer's inputs split into rows, columns and channels. */
  readonly apart: readonly number[];
}

/** PyTorch's shape: OIHW for filters, [outputs, inputs] for dense layers, with inputs in C, H, W order. */
export function pytorchShape({ shape }: Layout): number[] {
  if (shape.length === 4) return [shape[3], shape[2], shape[0], shape[1]];
  return shape.length === 2 ? [shape[1], shape[0]] : [...shape];
}

export function fromPytorch(values: Float32Array, { apart }: Layout): Float32Array {
  if (apart.length === 2) return permuted(values, [apart[1], apart[0]], [1, 0]);
  if (apart.length !== 4) return values;
  const [rows, columns, inputs, outputs] = apart;
  return permuted(values, [outputs, inputs, rows, columns], [2, 3, 1, 0]);
}

export function toPytorch(values: Float32Array, { apart }: Layout): Float32Array {
  if (apart.length === 2) return permuted(values, apart, [1, 0]);
  return apart.length === 4 ? permuted(values, apart, [3, 2, 0, 1]) : values;
}

/** @throws CHECKPOINT_MISMATCH if most filters have another framework's layout, whose shapes would make no sense. */
export function checkLayout({ tensors }: Safetensors, from: Framework): void {
  const kernels = [...tensors.values()].filter(({ shape }) => shape.length === 4);
  const layouts = {
    "[outputs, inputs, 3, 3]": kernels.filter(({ shape }) => shape[2] === 3 && shape[3] === 3).length,
    "[3, 3, inputs, outputs]": kernels.filter(({ shape }) => shape[0] === 3 && shape[1] === 3).length,
  };
  const [[found, most], [expected, own]] =
    from === "pytorch" ? Object.entries(layouts).reverse() : Object.entries(layouts);
  if (own >= most || 2 * most <= kernels.length) return;
  const isOurs = [...tensors.keys()].some((name) => name.startsWith("tower/"));
  const meant = from !== "pytorch" ? "pytorch" : isOurs ? "twingrad" : "keras";
  throw new TwingradError(
    "CHECKPOINT_MISMATCH",
    `Most filters are ${found}; expected ${expected} from ${from}: try --from ${meant}.`,
  );
}

/** A tensor's values as float32: float16 and bfloat16 are widened, float64 is rounded. Undefined for other types. */
export function floats({ dtype, bytes }: StoredTensor): Float32Array | undefined {
  const { buffer } = bytes.slice(); // aligned, in memory of its own
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "F64") return Float32Array.from(new Float64Array(buffer));
  if (dtype === "F16") return Float32Array.from(new Uint16Array(buffer), float32Of16);
  if (dtype === "BF16") {
    return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
  }
  return undefined;
}
