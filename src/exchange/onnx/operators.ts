// The operators in use, each with its shape rule. They are few and old, in forms that every opset from 17 on has, so
// that many runtimes implement all of them.
import { type Attributes, DataType, type Extent, type OnnxGraph, type Value } from "./graph.ts";

/** A matrix that maps an axis: each row has the weights of one output position. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

export class Operators {
  constructor(readonly graph: OnnxGraph) {}

  scalar(value: number): Value {
    return this.graph.constant("constant", [], [value]);
  }

  unary(operator: "Relu" | "Sigmoid" | "Sqrt" | "Abs" | "Log", x: Value, name?: string): Value {
    return this.graph.node(operator, [x], x.shape, { name });
  }

  binary(operator: "Add" | "Sub" | "Mul" | "Div" | "Max", a: Value, b: Value | number, name?: string): Value {
    const other = typeof b === "number" ? this.scalar(b) : b;
    return this.graph.node(operator, [a, other], broadcast(a.shape, other.shape), { name });
  }

  square(x: Value): Value {
    return this.binary("Mul", x, x, "square");
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.graph.node(
      "Transpose",
      [x],
      perm.map((axis) => x.shape[axis]),
      { attributes: { perm } },
    );
  }

  matmul(a: Value, b: Value): Value {
    const [rows, columns] = [a.shape[a.shape.length - 2], b.shape[b.shape.length - 1]];
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.graph.node("MatMul", [a, b], [...batch, rows, columns]);
  }

  /**
   * Multiplies the columns of pixels of [N, C, H, W] by `down` and the rows by `across`; each is optional. The matrices
   * have four axes as well, since not every runtime multiplies tensors of different ranks.
   */
  separable(x: Value, down: Matrix | undefined, across: Matrix | undefined): Value {
    const { graph } = this;
    let result = x;
    if (down) result = this.matmul(graph.constant("down", [1, 1, down.rows, down.columns], down.values), result);
    if (across) {
      const { rows, columns, values } = across;
      const transposed = Float32Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]); // biome-ignore format: one list
      result = this.matmul(result, graph.constant("across", [1, 1, columns, rows], transposed));
    }
    return result;
  }

  /** A convolution with stride 1 and `pad` zeros on each side; the kernel is [O, I, h, w]. */
  conv(x: Value, kernel: Value, bias: Value | undefined, pad: number): Value {
    const [outputs, , height, width] = kernel.shape as readonly number[];
    const [count, , rows, columns] = x.shape as readonly [Extent, number, number, number];
    const shape = [count, outputs, rows + 2 * pad - height + 1, columns + 2 * pad - width + 1];
    const attributes: Attributes = { dilations: [1, 1], group: 1, kernel_shape: [height, width], pads: [pad, pad, pad, pad], strides: [1, 1] }; // biome-ignore format: one list
    return this.graph.node("Conv", bias ? [x, kernel, bias] : [x, kernel], shape, { attributes });
  }

  /** 2 x 2 with stride 2; an odd last row or column is dropped. */
  maxPool(x: Value): Value {
    const [count, channels, rows, columns] = x.shape as readonly [Extent, number, number, number];
    const attributes: Attributes = { kernel_shape: [2, 2], pads: [0, 0, 0, 0], strides: [2, 2] };
    return this.graph.node("MaxPool", [x], [count, channels, rows >> 1, columns >> 1], { attributes });
  }

  sum(x: Value, axes: readonly number[], { keep }: { readonly keep: boolean }): Value {
    const shape = x.shape.flatMap((extent, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [extent]));
    const inputs = [x, this.graph.integers("axes", axes)];
    return this.graph.node("ReduceSum", inputs, shape, { attributes: { keepdims: keep ? 1 : 0 }, name: "sum" });
  }

  /** @param extent the concatenated axis's dimension, if it is not a sum of numbers. */
  concat(values: readonly Value[], axis: number, extent?: string): Value {
    if (values.length === 1) return values[0];
    const joined = extent ?? values.reduce((total, { shape }) => total + (shape[axis] as number), 0);
    const shape = values[0].shape.map((one, i) => (i === axis ? joined : one));
    return this.graph.node("Concat", values, shape, { attributes: { axis } });
  }

  /** [N, ...] to [N, K]. */
  flatten(x: Value): Value {
    const [count, ...others] = x.shape;
    const values = (others as number[]).reduce((product, extent) => product * extent, 1);
    return this.graph.node("Flatten", [x], [count, values], { attributes: { axis: 1 } });
  }

  /** @param shape the new shape, with at most one dynamic dimension. */
  reshape(x: Value, shape: readonly Extent[]): Value {
    const sizes = shape.map((extent) => (typeof extent === "string" ? -1 : extent));
    return this.graph.node("Reshape", [x, this.graph.integers("shape", sizes)], shape, { type: x.type });
  }

  /** Elements `from` to `to` of an axis. */
  slice(x: Value, axis: number, from: number, to: number): Value {
    const { graph } = this;
    const inputs = [x, graph.integers("starts", [from]), graph.integers("ends", [to]), graph.integers("axes", [axis])];
    const shape = x.shape.map((extent, i) => (i === axis ? to - from : extent));
    return graph.node("Slice", inputs, shape);
  }

  gemm(x: Value, kernel: Value, bias: Value): Value {
    return this.graph.node("Gemm", [x, kernel, bias], [x.shape[0], kernel.shape[1]]);
  }

  /** The indices [N, count] of the `count` largest values of each row of [N, M]. */
  largest(x: Value, count: number): Value {
    const shape = [x.shape[0], count];
    const attributes: Attributes = { axis: -1, largest: 1, sorted: 1 };
    const outputs = [{ shape }, { shape, type: DataType.INT64 }];
    return this.graph.nodeOf("TopK", [x, this.graph.integers("count", [count])], outputs, { attributes })[1];
  }

  /** The rows of a matrix [M, ...] at these indices. */
  gather(matrix: Value, places: Value): Value {
    const shape = [...places.shape, ...matrix.shape.slice(1)];
    return this.graph.node("Gather", [matrix, places], shape, { attributes: { axis: 0 }, type: matrix.type });
  }

  cast(x: Value, type: DataType): Value {
    return this.graph.node("Cast", [x], x.shape, { attributes: { to: type }, type });
  }

  /** Each row of [N, D] divided by the root of its sum of squares, or of `least` if that is larger. */
  unitLength(x: Value, least: number): Value {
    const squares = this.sum(this.square(x), [1], { keep: true });
    return this.binary("Div", x, this.unary("Sqrt", this.binary("Max", squares, least)), "unit");
  }
}

function broadcast(a: readonly Extent[], b: readonly Extent[]): Extent[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => {
    const [one, other] = [a[a.length - length + i] ?? 1, b[b.length - length + i] ?? 1];
    return one === 1 ? other : one;
  });
}
