// Edges by direction, normalized by their surroundings, and the pixels' means: see src/ops/images/orientedGradients.ts.

import { type NdArray, zeros } from "../../ndarray.ts";

export function orientedGradients({ x }: { x: NdArray }): NdArray {
  const [N, H, W, C] = x.shape;
  const [rows, columns] = [Math.floor(H / 2), Math.floor(W / 2)];
  const inside = (i: number, extent: number) => Math.min(Math.max(i, 0), extent - 1);
  const pixel = (n: number, i: number, j: number, c: number) =>
    x.data[((n * H + inside(i, H)) * W + inside(j, W)) * C + c];
  const intensity = (n: number, i: number, j: number) =>
    Array.from({ length: C }, (_, c) => pixel(n, i, j, c)).reduce((a, b) => a + b, 0) / C;
  const cell = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];

  const h = zeros([N, rows, columns, 8]);
  const energy = zeros([N, rows, columns]);
  const y = zeros([N, rows, columns, 8 + C]);
  for (let n = 0; n < N; n++) {
    for (let r = 0; r < rows; r++) {
      for (let q = 0; q < columns; q++) {
        const at = (n * rows + r) * columns + q;
        for (const [di, dj] of cell) {
          const [i, j] = [2 * r + di, 2 * q + dj];
          const dx = intensity(n, i, j + 1) - intensity(n, i, j - 1);
          const dy = intensity(n, i + 1, j) - intensity(n, i - 1, j);
          for (let b = 0; b < 8; b++) {
            const angle = (2 * Math.PI * b) / 8;
            const along = Math.max(0, dx * Math.cos(angle) + dy * Math.sin(angle));
            h.data[at * 8 + b] += along ** 2 / (Math.hypot(dx, dy) + 1e-3) / 4;
          }
        }
        for (let b = 0; b < 8; b++) energy.data[at] += h.data[at * 8 + b] ** 2;
        for (let c = 0; c < C; c++)
          for (const [di, dj] of cell) y.data[at * (8 + C) + 8 + c] += pixel(n, 2 * r + di, 2 * q + dj, c) / 4;
      }
    }
    for (let r = 0; r < rows; r++) {
      for (let q = 0; q < columns; q++) {
        let mean = 0;
        for (let i = -2; i <= 2; i++)
          for (let j = -2; j <= 2; j++)
            mean += energy.data[(n * rows + inside(r + i, rows)) * columns + inside(q + j, columns)] / 25;
        const at = (n * rows + r) * columns + q;
        for (let b = 0; b < 8; b++) {
          y.data[at * (8 + C) + b] = Math.sqrt(h.data[at * 8 + b] / (Math.sqrt(mean) + 0.1) + 0.01);
        }
      }
    }
  }
  return y;
}
