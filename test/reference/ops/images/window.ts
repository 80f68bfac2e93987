// TensorFlow's rule for where windows (filters, pools) lie along one axis, shared by conv2d and maxPool2d.

export type Padding = "same" | "valid";

/** One number for both axes, or [rows, columns]. */
export type Extent = number | readonly [number, number];

export const pair = (extent: Extent) => (typeof extent === "number" ? [extent, extent] : extent);

/** Number of windows along an axis, and how many padded positions come before its first element. */
export function windows(size: number, window: number, stride: number, padding: Padding) {
  if (padding === "valid") return { count: Math.floor((size - window) / stride) + 1, before: 0 };
  const count = Math.ceil(size / stride);
  const padded = Math.max((count - 1) * stride + window - size, 0);
  return { count, before: Math.floor(padded / 2) };
}
