// Matrices as rows of numbers, and constant tensors for model files.

/** [N, length] as N rows. */
export const rows = (values: ArrayLike<number>, length: number): number[][] =>
  Array.from({ length: values.length / length }, (_, n) => Array.from({ length }, (_, i) => values[n * length + i]));

/** A tensor with one value everywhere. */
export const filled = (shape: number[], value = 0.5) => ({
  dtype: "F32" as const,
  shape,
  data: new Float32Array(shape.reduce((n, extent) => n * extent, 1)).fill(value),
});
