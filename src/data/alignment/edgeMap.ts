// Histograms of oriented gradients of one gray picture, on the host. src/ops/images/orientedGradients.ts has the
// formula: there it is a layer of a network, here it is the feature map for alignment.
import { directions } from "./alignmentForm.ts";

const units = Array.from({ length: directions }, (_, b) => {
  const angle = (2 * Math.PI * b) / directions;
  return [Math.cos(angle), Math.sin(angle)] as const;
});

/** A gray picture [H, W], H and W even, standardized to mean 0 and variance 1, to [H / 2, W / 2, 8]. */
export function edgeMap(gray: ArrayLike<number>, height: number, width: number): Float32Array {
  const picture = standardized(gray);
  const [rows, columns] = [height / 2, width / 2];
  const cells = rows * columns;
  const histogram = new Float64Array(cells * directions);
  for (let y = 0; y < height; y++) {
    const [above, below] = [Math.max(y - 1, 0) * width, Math.min(y + 1, height - 1) * width];
    for (let x = 0; x < width; x++) {
      const dx = picture[y * width + Math.min(x + 1, width - 1)] - picture[y * width + Math.max(x - 1, 0)];
      const dy = picture[below + x] - picture[above + x];
      const strength = 4 * (Math.sqrt(dx * dx + dy * dy) + 1e-3);
      const cell = ((y >> 1) * columns + (x >> 1)) * directions;
      for (let b = 0; b < directions; b++) {
        const along = dx * units[b][0] + dy * units[b][1];
        if (along > 0) histogram[cell + b] += (along * along) / strength;
      }
    }
  }
  const energy = new Float64Array(cells);
  for (let i = 0; i < histogram.length; i++) energy[Math.floor(i / directions)] += histogram[i] ** 2;
  const about = meanOfFive(meanOfFive(energy, rows, columns, columns, 1), columns, rows, 1, columns);
  return Float32Array.from(histogram, (h, i) =>
    Math.sqrt(h / (Math.sqrt(about[Math.floor(i / directions)]) + 0.1) + 0.01),
  );
}

function standardized(gray: ArrayLike<number>): Float64Array {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < gray.length; i++) sum += gray[i];
  const mean = sum / gray.length;
  for (let i = 0; i < gray.length; i++) squares += (gray[i] - mean) ** 2;
  const deviation = Math.sqrt(squares / gray.length + 1e-5);
  return Float64Array.from(gray, (value) => (value - mean) / deviation);
}

/** The mean of five values along the second of two axes; its ends are repeated. */
function meanOfFive(
  values: Float64Array,
  lines: number,
  length: number,
  lineStride: number,
  stride: number,
): Float64Array {
  const result = new Float64Array(values.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = i - 2; k <= i + 2; k++)
        sum += values[line * lineStride + Math.min(Math.max(k, 0), length - 1) * stride];
      result[line * lineStride + i * stride] = sum / 5;
    }
  }
  return result;
}
