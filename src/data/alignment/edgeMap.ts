// The edges by direction of src/ops/images/orientedGradients.ts, which has the formula, of one grey picture on the host: there it is a
// layer of a network, here something that a picture is brought in line by.
import { directions } from "./alignmentForm.ts";

const units = Array.from({ length: directions }, (_, b) => {
  const angle = (2 * Math.PI * b) / directions;
  return [Math.cos(angle), Math.sin(angle)] as const;
});

/** A grey picture [H, W], H and W even, brought to mean 0 and variance 1, to [H / 2, W / 2, 8]. */
export function edgeMap(grey: ArrayLike<number>, height: number, width: number): Float32Array {
  const picture = standardised(grey);
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
  const about = fives(fives(energy, rows, columns, columns, 1), columns, rows, 1, columns);
  return Float32Array.from(histogram, (h, i) =>
    Math.sqrt(h / (Math.sqrt(about[Math.floor(i / directions)]) + 0.1) + 0.01),
  );
}

function standardised(grey: ArrayLike<number>): Float64Array {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < grey.length; i++) sum += grey[i];
  const mean = sum / grey.length;
  for (let i = 0; i < grey.length; i++) squares += (grey[i] - mean) ** 2;
  const deviation = Math.sqrt(squares / grey.length + 1e-5);
  return Float64Array.from(grey, (value) => (value - mean) / deviation);
}

/** Means over five along the second of two axes, whose ends are repeated. */
function fives(values: Float64Array, lines: number, length: number, lineStride: number, stride: number): Float64Array {
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
