// Resizing and affine resampling in float64. `resizeArea` and `resizeTf1` are written from their definitions alone, so
// that they can check `resample` where both apply.

import { index4, type NdArray, zeros } from "../../ndarray.ts";

type Size = readonly [number, number];

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);

/** The weights of the source's elements in each element of the output, along one axis. */
type Axis = { at: number; weight: number }[][];

function separable(x: NdArray, rows: Axis, columns: Axis): NdArray {
  const [N, , , C] = x.shape;
  const y = zeros([N, rows.length, columns.length, C]);
  for (let n = 0; n < N; n++)
    for (const [i, row] of rows.entries())
      for (const [j, column] of columns.entries())
        for (let c = 0; c < C; c++)
          for (const u of row)
            for (const v of column)
              y.data[index4(y.shape, n, i, j, c)] += u.weight * v.weight * x.data[index4(x.shape, n, u.at, v.at, c)];
  return y;
}

/**
 * Element o of n is the mean of the source over [o, o + 1) * source / n; where it grows, bilinear at half-pixel
 * centers.
 */
function areaAxis(source: number, output: number): Axis {
  const step = source / output;
  return Array.from({ length: output }, (_, o) => {
    if (step < 1) return linear((o + 0.5) * step - 0.5, source);
    const overlap = (q: number) => Math.min(q + 1, (o + 1) * step) - Math.max(q, o * step);
    const all = Array.from({ length: source }, (_, q) => ({ at: q, weight: overlap(q) / step }));
    return all.filter(({ weight }) => weight > 0);
  });
}

function linear(p: number, source: number) {
  const lower = Math.floor(p);
  const inside = (q: number) => clamp(q, 0, source - 1);
  return [
    { at: inside(lower), weight: lower + 1 - p },
    { at: inside(lower + 1), weight: p - lower },
  ];
}

export function resizeArea(x: NdArray, [height, width]: Size): NdArray {
  return separable(x, areaAxis(x.shape[1], height), areaAxis(x.shape[2], width));
}

/**
 * TensorFlow 1's `tf.image.resize_images`, bilinear, align_corners = False, as its kernel computes it
 * (resize_bilinear_op.cc with LegacyScaler): position o * (float(in) / float(out)) in float32, the next element clamped.
 */
export function resizeTf1(x: NdArray, [height, width]: Size): NdArray {
  const axis = (source: number, output: number): Axis => {
    const scale = Math.fround(source / output);
    return Array.from({ length: output }, (_, o) => linear(Math.fround(o * scale), source));
  };
  return separable(x, axis(x.shape[1], height), axis(x.shape[2], width));
}

/** The formula at the head of resample.forward.wgsl; `transforms` [N, 6]: two columns of A, then b. */
export function resample(x: NdArray, transforms: NdArray, [height, width]: Size, method: "area" | "tf1"): NdArray {
  const [N, H, W, C] = x.shape;
  const y = zeros([N, height, width, C]);
  for (let n = 0; n < N; n++) {
    const [ayy, axy, ayx, axx, by, bx] = transforms.data.slice(6 * n, 6 * n + 6);
    const lengths = [Math.hypot(ayy, axy), Math.hypot(ayx, axx)];
    const isArea = method === "area";
    const ey = isArea ? [ayy / lengths[0], axy / lengths[0]] : [1, 0];
    const ex = isArea ? [ayx / lengths[1], axx / lengths[1]] : [0, 1];
    const [Ry, Rx] = isArea ? lengths.map((length) => Math.max(1, length)) : [1, 1];
    const t = (s: number, R: number) => clamp((R + 1) / 2 - Math.abs(s), 0, 1);
    const reach = Math.ceil(Ry + Rx + 2); // no footprint goes further
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) {
        const py = ayy * i + ayx * j + by;
        const px = axy * i + axx * j + bx;
        let total = 0;
        for (let qy = Math.floor(py) - reach; qy <= py + reach; qy++)
          for (let qx = Math.floor(px) - reach; qx <= px + reach; qx++) {
            const d = [qy - py, qx - px];
            const w = t(ey[0] * d[0] + ey[1] * d[1], Ry) * t(ex[0] * d[0] + ex[1] * d[1], Rx);
            if (w === 0) continue;
            total += w;
            for (let c = 0; c < C; c++) {
              const value = x.data[index4(x.shape, n, clamp(qy, 0, H - 1), clamp(qx, 0, W - 1), c)];
              y.data[index4(y.shape, n, i, j, c)] += w * value;
            }
          }
        for (let c = 0; c < C; c++) y.data[index4(y.shape, n, i, j, c)] /= total;
      }
  }
  return y;
}
