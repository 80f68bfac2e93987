// The description of a convolution, shared by all algorithms.
import type { Axis } from "./windowShape.ts";

/** x is [batch, y.input, x.input, channels], the output [batch, y.output, x.output, filters]. */
export interface Convolution {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly y: Axis & { readonly input: number };
  readonly x: Axis & { readonly input: number };
}
