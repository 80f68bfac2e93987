// Each effect against its formula, computed another way or by hand.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blur,
  camera,
  fromBytes,
  glare,
  halftone,
  moire,
  type Point,
  perspective,
  type Raster,
  tint,
  toBytes,
} from "../../../src/cli/recapture/effects.ts";
import { Random } from "../../../src/data/random.ts";

const raster = (height: number, width: number, value: (y: number, x: number, c: number) => number): Raster => ({
  height,
  width,
  data: Float32Array.from({ length: height * width * 3 }, (_, at) =>
    value(Math.floor(at / (3 * width)), Math.floor(at / 3) % width, at % 3),
  ),
});
const even = (value: number, size = 24) => raster(size, size, () => value);
const mean = ({ data }: Raster) => data.reduce((sum, value) => sum + value, 0) / data.length;
const noise = (seed: number, size = 12) => {
  const random = new Random(seed, 1);
  return raster(size, size, () => random.uniform());
};
const square: Point[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const colors = { borderColor: [1, 1, 1], background: [0, 0.5, 0] } as const;

describe("tint", () => {
  it("takes white to the paper's white, black to its black, and what is between in proportion", () => {
    const paper = { white: [0.9, 0.8, 0.7], black: [0.1, 0.2, 0.3] } as const;
    expect([...tint(even(1, 1), paper).data].map((v) => v.toFixed(6))).toEqual(["0.900000", "0.800000", "0.700000"]);
    expect([...tint(even(0, 1), paper).data].map((v) => v.toFixed(6))).toEqual(["0.100000", "0.200000", "0.300000"]);
    expect(tint(even(0.25, 1), paper).data[1]).toBeCloseTo(0.2 + 0.25 * 0.6, 6);
  });
});

describe("halftone", () => {
  it("is the formula at single places, and nothing at strength 0", () => {
    const picture = noise(1);
    const options = { period: 3, angle: 20, strength: 0.4 };
    const found = halftone(picture, options);
    for (const [x, y, c] of [
      [0, 0, 0],
      [5, 7, 1],
      [11, 3, 2],
    ]) {
      const angle = ((20 + 30 * c) * Math.PI) / 180;
      const u = x * Math.cos(angle) + y * Math.sin(angle);
      const w = y * Math.cos(angle) - x * Math.sin(angle);
      const screen = 0.5 + (Math.cos((2 * Math.PI * u) / 3) + Math.cos((2 * Math.PI * w) / 3)) / 4;
      const v = picture.data[(y * 12 + x) * 3 + c];
      const dot = 1 / (1 + Math.exp(-(v - screen) / 0.1));
      expect(found.data[(y * 12 + x) * 3 + c]).toBeCloseTo(0.6 * v + 0.4 * dot, 5);
    }
    expect(halftone(picture, { ...options, strength: 0 }).data).toEqual(picture.data);
  });

  it("makes dots: white and black stay nearly so, mid gray keeps its mean and gains contrast", () => {
    const options = { period: 4, angle: 15, strength: 1 };
    expect(mean(halftone(even(1, 64), options))).toBeGreaterThan(0.94);
    expect(mean(halftone(even(0, 64), options))).toBeLessThan(0.06);
    const gray = halftone(even(0.5, 64), options);
    expect(Math.abs(mean(gray) - 0.5)).toBeLessThan(0.02);
    const spread = Math.max(...gray.data) - Math.min(...gray.data);
    expect(spread).toBeGreaterThan(0.9);
  });
});

describe("moire", () => {
  it("is what a lens leaves of the product of two gratings", () => {
    // (1 + cos 2 pi k1 p)(1 + cos 2 pi k2 p), seen through a lens: 1 + beat / 2.
    const [period, angle] = [1.06, 3];
    const a = (angle * Math.PI) / 180;
    const k1 = [Math.cos(a) / period, Math.sin(a) / period];
    const product = (x: number, y: number) =>
      (1 + Math.cos(2 * Math.PI * (k1[0] * x + k1[1] * y))) * (1 + Math.cos(2 * Math.PI * x));
    // A lens whose Gaussian, of 0.6 pixels, leaves 0.1 % of the gratings and 96 % of the beat.
    const beat = (x: number, y: number) => {
      let [sum, whole] = [0, 0];
      for (let dx = -3; dx <= 3; dx += 1 / 16) {
        for (let dy = -3; dy <= 3; dy += 1 / 4) {
          const weight = Math.exp(-(dx ** 2 + dy ** 2) / (2 * 0.6 ** 2));
          sum += weight * product(x + dx, y + dy);
          whole += weight;
        }
      }
      return 2 * (sum / whole - 1);
    };
    const found = moire(even(0.5, 40), { period, angle, strength: 1 });
    const stripes = (x: number, y: number) => found.data[(y * 40 + x) * 3] / 0.5;
    // Along a row the other grating's stripes change as its own, turned by a right angle: they are taken out here.
    const other = (x: number, y: number) =>
      Math.cos(2 * Math.PI * (-(Math.sin(a) / period) * x + (Math.cos(a) / period - 1) * y)) / 2;
    for (const [x, y] of [
      [3, 4],
      [12, 20],
      [30, 9],
    ]) {
      expect(Math.abs(stripes(x, y) - 1 - other(x, y) - beat(x, y) / 2)).toBeLessThan(0.03);
    }
  });

  it("shifts each channel by a third, keeps the mean, and does nothing at strength 0", () => {
    const options = { period: 1.1, angle: 2, strength: 0.3 };
    const found = moire(even(0.5, 110), options);
    expect(Math.abs(mean(found) - 0.5)).toBeLessThan(0.01);
    // The three cosines, a third of a turn apart, cancel: what remains of their sum is the other grating's.
    const [r, g, b] = found.data.subarray(0, 3);
    expect((r + g + b) / 3 / 0.5 - 1).toBeCloseTo(0.3 / 2, 5);
    expect(new Set([r, g, b].map((v) => v.toFixed(4))).size).toBeGreaterThan(1);
    expect(moire(even(0.5), { ...options, strength: 0 }).data).toEqual(even(0.5).data);
  });
});

describe("blur", () => {
  it("spreads a point as the Gaussian, loses no light, and leaves even areas even", () => {
    const point = raster(21, 21, (y, x) => (x === 10 && y === 10 ? 1 : 0));
    const found = blur(point, 1.3);
    const at = (y: number, x: number) => found.data[(y * 21 + x) * 3];
    expect(at(10, 12) / at(10, 10)).toBeCloseTo(Math.exp(-4 / (2 * 1.3 ** 2)), 5);
    expect(at(13, 11) / at(10, 10)).toBeCloseTo(Math.exp(-10 / (2 * 1.3 ** 2)), 5);
    expect(21 * 21 * mean(found)).toBeCloseTo(1, 5);
    expect(Math.abs(mean(blur(even(0.7), 2)) - 0.7)).toBeLessThan(1e-6);
    expect(blur(point, 0)).toBe(point);
  });
});

describe("glare", () => {
  it("is strongest at its center, falls off as told, and never passes white", () => {
    const spot = { x: 10.5 / 40, y: 20.5 / 40, radii: [0.1, 0.2], angle: 0, strength: 0.8 } as const;
    const found = glare(even(0.25, 40), spot);
    const at = (y: number, x: number) => found.data[(y * 40 + x) * 3];
    expect(at(20, 10)).toBeCloseTo(0.25 + 0.8 * 0.75, 6);
    expect(at(20, 14)).toBeCloseTo(0.25 + 0.8 * 0.75 * Math.exp(-0.5), 6); // one radius to the right
    expect(at(28, 10)).toBeCloseTo(0.25 + 0.8 * 0.75 * Math.exp(-0.5), 6); // and one down
    expect(Math.max(...glare(even(1, 40), spot).data)).toBeLessThanOrEqual(1);
  });
});

describe("perspective", () => {
  it("of a sheet that fills the frame changes nothing", () => {
    const picture = noise(2);
    const found = perspective(picture, { corners: square, border: 0.05, ...colors });
    for (const [at, value] of found.data.entries()) expect(value).toBeCloseTo(picture.data[at], 5);
  });

  it("shows the border about the sheet and the background behind", () => {
    const corners = square.map(([x, y]): Point => [0.25 + x / 2, 0.25 + y / 2]);
    const found = perspective(even(0.25, 40), { corners, border: 0.1, ...colors });
    const at = (y: number, x: number) => [...found.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];
    expect(at(20, 20)).toEqual([0.25, 0.25, 0.25]);
    expect(at(20, 9)).toEqual([1, 1, 1]); // within a tenth of the sheet's 20 pixels
    expect(at(20, 7)).toEqual([0, 0.5, 0]);
    expect(at(0, 0)).toEqual([0, 0.5, 0]);
  });

  it("takes the picture's corners where they are wanted, whatever the quadrangle", () => {
    const near = fc.double({ min: -0.1, max: 0.1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(near, near), { minLength: 4, maxLength: 4 }), (moved) => {
        const size = 200;
        const corners = square.map(([x, y], n): Point => [0.2 + 0.6 * x + moved[n][0], 0.2 + 0.6 * y + moved[n][1]]);
        // Each quarter of the picture has a shade of its own; a little inside of a corner its own must be seen.
        const quarters = raster(size, size, (y, x) => (x < size / 2 ? 0 : 0.25) + (y < size / 2 ? 0.25 : 0.75));
        const found = perspective(quarters, { corners, border: 0, ...colors });
        const center = corners.reduce(([x, y], corner) => [x + corner[0] / 4, y + corner[1] / 4], [0, 0]);
        corners.forEach(([x, y], n) => {
          const [px, py] = [x + 0.1 * (center[0] - x), y + 0.1 * (center[1] - y)];
          const value = found.data[(Math.floor(py * size) * size + Math.floor(px * size)) * 3];
          expect(value).toBeCloseTo([0.25, 0.5, 1, 0.75][n], 5);
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe("camera", () => {
  it("takes gain and noise of the deviation that is told, within 0 and 1", () => {
    const found = camera(even(0.5, 64), { gain: [0.8, 1, 1.2], noise: 0.05 }, new Random(1, 1));
    for (const [c, gain] of [0.8, 1, 1.2].entries()) {
      const own = found.data.filter((_, at) => at % 3 === c);
      const center = own.reduce((sum, v) => sum + v, 0) / own.length;
      const deviation = Math.sqrt(own.reduce((sum, v) => sum + (v - center) ** 2, 0) / own.length);
      expect(Math.abs(center - 0.5 * gain)).toBeLessThan(0.005); // six standard deviations of the mean of 4096
      expect(Math.abs(deviation / 0.05 - 1)).toBeLessThan(0.07);
    }
    const cut = camera(noise(3), { gain: [3, 3, 3], noise: 0.5 }, new Random(1, 1)).data;
    expect([Math.min(...cut), Math.max(...cut)]).toEqual([0, 1]);
  });
});

it("bytes to shares and back lose nothing", () => {
  const bytes = Uint8Array.from({ length: 12 }, (_, n) => (n * 23) % 256);
  expect(toBytes(fromBytes(bytes, [2, 2]))).toEqual(bytes);
});
