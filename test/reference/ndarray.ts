// The float64 array that every reference implementation reads and returns: a shape and row-major values.

export interface NdArray {
  shape: readonly number[];
  data: Float64Array;
}

export type NdArrays = Record<string, NdArray>;

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

export const zeros = (shape: readonly number[]): NdArray => ({ shape, data: new Float64Array(sizeOf(shape)) });

export const ndarray = (shape: readonly number[], values: ArrayLike<number>): NdArray => {
  if (values.length !== sizeOf(shape)) throw new Error(`${values.length} values do not fill shape [${shape}]`);
  return { shape, data: Float64Array.from(values) };
};

export const scalar = (value: number): NdArray => ndarray([], [value]);

/** A new array of the same shape; `f` gets each value and its position. */
export const map = (x: NdArray, f: (value: number, index: number) => number): NdArray => ({
  shape: x.shape,
  data: x.data.map(f),
});

/** Position of element [b, y, x, c] in an NHWC (or [i, j, k, l] in any four-dimensional) array. */
export const index4 = (shape: readonly number[], i: number, j: number, k: number, l: number) =>
  ((i * shape[1] + j) * shape[2] + k) * shape[3] + l;
