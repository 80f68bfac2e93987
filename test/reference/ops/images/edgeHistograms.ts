// Edges by direction over windows: see src/ops/images/edgeHistograms.ts.

import { type NdArray, zeros } from "../../ndarray.ts";

export function edgeHistograms({ edges }: { edges: NdArray }): NdArray {
  const [N, R, Q, C] = edges.shape;
  const [rows, columns] = [Math.floor((R - 4) / 2) + 1, Math.floor((Q - 4) / 2) + 1];
  const y = zeros([N, rows, columns, 8]);
  for (let n = 0; n < N; n++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (let b = 0; b < 8; b++) {
          let squares = 0;
          for (let i = 0; i < 4; i++)
            for (let j = 0; j < 4; j++) squares += edges.data[((n * R + 2 * r + i) * Q + 2 * q + j) * C + b] ** 2;
          y.data[((n * rows + r) * columns + q) * 8 + b] = Math.sqrt(squares / 16);
        }
  return y;
}
