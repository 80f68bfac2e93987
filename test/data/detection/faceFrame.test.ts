import { describe, expect, it } from "vitest";
import type { FaceLandmarks, Point } from "../../../src/data/detection/faceFinder.ts";
import {
  applied,
  frameToPicture,
  resampledThrough,
  shownPart,
  similarity,
  standardFrame,
} from "../../../src/data/detection/faceFrame.ts";
import { Random } from "../../../src/data/random.ts";

const random = new Random(1, 0);
const between = (low: number, high: number) => low + (high - low) * random.uniform();
const points = (count: number) => Array.from({ length: count }, (): Point => [between(-50, 50), between(-50, 50)]);

describe("similarity", () => {
  it("recovers the map that transformed the points", () => {
    for (let trial = 0; trial < 20; trial++) {
      const [angle, scale] = [between(-3, 3), between(0.1, 5)];
      const map = {
        a: scale * Math.cos(angle),
        b: scale * Math.sin(angle),
        x0: between(-90, 90),
        y0: between(-90, 90),
      };
      const from = points(5);
      const found = similarity(
        from,
        from.map((point) => applied(map, point)),
      );
      for (const key of ["a", "b", "x0", "y0"] as const) expect(found[key]).toBeCloseTo(map[key], 9);
    }
  });

  it("is the least-squares solution: no small change has a smaller error", () => {
    const [from, to] = [points(5), points(5)];
    const best = similarity(from, to);
    const error = (map: typeof best) =>
      from.reduce((sum, point, i) => {
        const [x, y] = applied(map, point);
        return sum + (x - to[i][0]) ** 2 + (y - to[i][1]) ** 2;
      }, 0);
    for (const key of ["a", "b", "x0", "y0"] as const) {
      for (const step of [-1e-3, 1e-3]) {
        expect(error({ ...best, [key]: best[key] + step })).toBeGreaterThan(error(best));
      }
    }
  });
});

describe("the standard frame", () => {
  const inPixels = (side: number): FaceLandmarks =>
    standardFrame.map(([x, y]): Point => [x * side, y * side]) as unknown as FaceLandmarks;

  it("leaves an already aligned picture unchanged, to the last pixel", () => {
    const pixels = Uint8Array.from({ length: 40 * 40 * 3 }, () => Math.floor(between(0, 256)));
    const map = frameToPicture(inPixels(40), [40, 40]);
    expect(resampledThrough(map, pixels, [40, 40, 3], [40, 40])).toEqual(pixels);
  });

  it("is centered in a picture that is not square, and shows more with a margin", () => {
    const wide = frameToPicture(inPixels(112), [56, 80]);
    expect(applied(wide, [40, 28]).map((x) => Math.round(x * 1e6) / 1e6)).toEqual([56, 56]);
    expect(Math.hypot(wide.a, wide.b)).toBeCloseTo(2, 9);
    const more = frameToPicture(inPixels(112), [56, 56], 0.5);
    expect(Math.hypot(more.a, more.b)).toBeCloseTo(4, 9);
    expect(applied(more, [28, 28])[0]).toBeCloseTo(56, 9);
  });

  it("repeats the border beyond a picture, and reads no more of it than it shows", () => {
    const landmarks = inPixels(112).map(([x, y]): Point => [x - 60, y]) as unknown as FaceLandmarks; // half outside
    const map = frameToPicture(landmarks, [28, 28]);
    const part = shownPart(map, [28, 28], [112, 112]);
    expect(part.left).toBe(0);
    expect(part.left + part.width).toBeLessThanOrEqual(112);
    expect(part.width).toBeLessThan(70);
    const pixels = Uint8Array.from({ length: 112 * 112 }, (_, i) => (i % 112) * 2);
    const seen = resampledThrough(map, pixels, [112, 112, 1], [28, 28]);
    expect(seen[0]).toBe(0);
    const cut = new Uint8Array(part.width * part.height);
    for (let y = 0; y < part.height; y++) {
      cut.set(
        pixels.subarray((part.top + y) * 112 + part.left, (part.top + y) * 112 + part.left + part.width),
        y * part.width,
      );
    }
    const inPart = { ...map, x0: map.x0 - part.left, y0: map.y0 - part.top };
    expect(resampledThrough(inPart, cut, [part.height, part.width, 1], [28, 28])).toEqual(seen);
  });

  it("averages over each output pixel: fine stripes become gray without aliasing", () => {
    const stripes = Uint8Array.from({ length: 112 * 112 }, (_, i) => (i % 2) * 200);
    const seen = resampledThrough(frameToPicture(inPixels(112), [28, 28]), stripes, [112, 112, 1], [28, 28]);
    for (const value of seen) expect(Math.abs(value - 100)).toBeLessThanOrEqual(1);
  });
});
