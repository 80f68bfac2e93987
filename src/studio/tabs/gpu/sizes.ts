// The training steps to measure: S and M of `npm run bench`.

export interface Size {
  readonly name: "S" | "M";
  readonly pairs: number;
  readonly imageSize: readonly [height: number, width: number, channels: number];
  readonly filters: readonly number[];
  readonly embedding: number;
  /** Whether each gradient is checked separately, which is slow in float64 on the host. */
  readonly everyGradient: boolean;
}

export const sizes: readonly Size[] = [
  { name: "S", pairs: 8, imageSize: [28, 28, 1], filters: [32, 32, 64, 64], embedding: 1024, everyGradient: true },
  { name: "M", pairs: 4, imageSize: [56, 56, 3], filters: [64, 64, 64, 32], embedding: 1024, everyGradient: false },
];

/**
 * Operations of a step: a multiply-add counts as two, the backward pass as twice the forward pass. Counts convolutions
 * and the dense layer only, for both branches.
 */
export function operationsOfStep({ pairs, imageSize, filters, embedding }: Size): number {
  let [height, width, inputs] = imageSize;
  let forward = 0;
  for (const outputs of filters) {
    forward += height * width * 9 * inputs * outputs;
    [height, width, inputs] = [height >> 1, width >> 1, outputs];
  }
  return 3 * 2 * 2 * pairs * (forward + height * width * inputs * embedding);
}
